"""One file per phenomenon: (parameters, seed) -> frozen record of what was measured."""

"""Measurements of speed: ``python -m benchmarks`` prints them and keeps them in results/."""

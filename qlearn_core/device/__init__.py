"""The simulated phone and what is learned on it: a small stand-in for the device of Digi-Q."""

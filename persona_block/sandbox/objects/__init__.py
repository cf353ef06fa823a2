"""The objects that the simulation keeps, a module for each kind: how they begin, change and end."""

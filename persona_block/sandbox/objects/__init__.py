"""The objects of the API, a module for each kind: how they begin, change and end."""

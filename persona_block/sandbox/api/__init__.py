"""Persona's API as the simulation answers it: the protocol around a request, its query, its operations, its answer."""

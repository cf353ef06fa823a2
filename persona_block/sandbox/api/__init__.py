"""Persona's API as the simulation answers it: protocol, queries, operations and serialization."""

"""The simulation as an application, in process or on a socket, with the faults of a network."""

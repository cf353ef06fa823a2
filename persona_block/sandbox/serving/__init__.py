"""The simulation as an application, in process or on a socket, with optional faults."""

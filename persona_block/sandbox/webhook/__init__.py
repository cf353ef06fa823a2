"""Events of the simulation, and their signed delivery to a webhook."""

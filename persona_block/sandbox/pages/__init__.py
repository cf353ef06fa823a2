"""The pages for a browser, and the control of the simulation by programs."""

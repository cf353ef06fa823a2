"""What the simulation keeps, and its clock: one SQLite database, in memory or in a file."""

"""What the simulation keeps, in one SQLite database, and its clock."""

"""Bodies and errors of the API: how they are read, checked and written."""

"""Request bodies and error answers of the API: how they are read, checked and written."""

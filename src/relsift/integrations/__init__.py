"""Other libraries with relsift, one a file: each is optional and imported when asked for."""

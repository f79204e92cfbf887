"""One file a format: documents in, a file out."""

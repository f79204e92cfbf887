"""One file a format: a path in, documents out."""

"""Named corpora: what ships with the package and what can be prepared from public sources."""

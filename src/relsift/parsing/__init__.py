"""Dependency trees for sentences that come without: parsed by spaCy, remembered on disk, or taken from a CoNLL-U file."""

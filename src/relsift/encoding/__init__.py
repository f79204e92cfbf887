"""Sentences to integers: vocabularies, BIO tags, batches."""

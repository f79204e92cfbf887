"""Sentences to integers: a vocabulary for each input that a model can read, examples, batches."""

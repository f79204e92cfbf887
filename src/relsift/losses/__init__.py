"""Losses as plain functions, each with its equation and source. Letters: P pairs, K relation types."""

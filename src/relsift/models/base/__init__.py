"""The contract of a model, and what several architectures share."""

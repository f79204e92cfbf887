"""The contract of a model, and base classes that several architectures share."""

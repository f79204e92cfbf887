"""Pair pooling, the inner loop of every convolutional model here (DESIGN: the exact fast form of the pair convolution)."""

"""Pair pooling and window sums, the inner loops of every convolutional model, in plain torch and as fused kernels."""

"""What a model sees of each token; `relsift.registry.ENCODERS` lists them."""

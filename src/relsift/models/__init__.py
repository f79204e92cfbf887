"""One architecture a file; `relsift.registry.MODELS` lists them."""

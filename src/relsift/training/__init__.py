"""The training loop, optimisers, early stopping, resuming, and the run folder."""

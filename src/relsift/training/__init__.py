"""The training loop, its optimisers, early stopping, resuming and the run folder."""

"""Parts that two or more models use."""

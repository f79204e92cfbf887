"""Annotators add what sentences lack: trees, tags, entities. `relsift.registry.ANNOTATORS` lists them."""

"""What adds to sentences what they lack: trees, tags, entities. A model reads some of it; `relsift.registry.ANNOTATORS` lists them."""

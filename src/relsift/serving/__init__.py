"""The HTTP service of `relsift serve`: texts or annotated sentences in, relations out. It needs the extra `serve`."""

"""Models without torch: their weights read by NumPy, and a transformer by onnxruntime; `relsift.exporting` writes them."""

"""Files in, files with relations out, of any length: read ahead, predicted block by block, gone on with after an interruption."""

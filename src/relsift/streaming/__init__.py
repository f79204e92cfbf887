"""Files in, files with relations out, of any length: read ahead, predict block by block, resume after an interruption."""

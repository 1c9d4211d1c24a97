"""How far apart industry and academia are in training compute, and whether that changes."""

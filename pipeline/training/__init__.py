"""A trajectory, block by block, to its points."""

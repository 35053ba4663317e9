"""The compiled engine: explicit vectors, strict IEEE arithmetic, sums in fixed lanes."""

"""What a head can be made of, by name: the one place where these choices stand."""

INITS = ("he", "notebook", "notebook_draws")
GRADIENTS = ("exact", "notebook", "frozen")
DTYPES = ("float32", "float64")
LOSSES = ("half_squared_error", "binary_cross_entropy")
SCHEDULES = ("constant", "cosine")
# An engine's arithmetic has a name, which changes whenever its bits do, so that old records are not mixed in.
NUMERICS = {"numba": "numba-3", "numpy": "numpy-1"}
ENGINES = tuple(NUMERICS)

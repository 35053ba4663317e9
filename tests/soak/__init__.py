"""The soak: the real command, attacked for as long as one likes. `make soak MINUTES=20 SEED=7`."""

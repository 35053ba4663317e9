"""The mathematics: layers, losses, gradients, engines and one-vs-rest training. NumPy and joblib; no files, no Hydra."""

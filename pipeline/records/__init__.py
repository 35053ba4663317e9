"""What a trained point leaves on disk: deterministic bytes, written whole or not at all, read without pickle."""

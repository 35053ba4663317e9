"""Experiments as RO-Crates: described, packed to be sent, opened without trust and taken in."""

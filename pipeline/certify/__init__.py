"""Gradients held against finite differences, for sizes of one's own."""

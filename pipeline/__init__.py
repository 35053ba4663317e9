"""A research pipeline for one-vs-rest convolutional heads."""

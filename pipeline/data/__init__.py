"""Sources of images and labels, and what they become: a Dataset. One source a file."""

"""report.html: the points side by side in one file that any browser opens, without a network."""

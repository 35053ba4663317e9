"""What everything may use and what knows nothing of the rest: files, errors, stops, the console."""

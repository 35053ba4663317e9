"""From a command line to trained points: composed, checked, planned, driven."""

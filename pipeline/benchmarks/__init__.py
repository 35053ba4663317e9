"""The parts of the benchmark: its jobs, who competes in them, how time and memory are measured, and what is written."""

"""What the pages and the association cost; `python -m benchmarks` measures and prints it."""

"""Benchmarks of pages and services; `python -m benchmarks` runs them."""

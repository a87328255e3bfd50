"""The invariants, recomputed from the rows; numbered as in docs/invariants.md."""

"""The invariants, recomputed from the rows; numbered as in the documentation."""

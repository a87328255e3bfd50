"""Recomputing the invariants from the rows themselves: what must hold, whatever the code says."""

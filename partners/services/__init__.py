"""What partners writes and decides; one module per subject."""

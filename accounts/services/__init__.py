"""What accounts writes and decides; one module per subject."""

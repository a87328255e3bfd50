"""What association writes and decides; one module per subject."""

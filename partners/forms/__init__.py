"""Forms of partners; one module per subject."""

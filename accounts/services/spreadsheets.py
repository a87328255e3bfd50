"""What spreadsheets would run."""

# What they take for the beginning of a formula, full-width twins included.
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")

"""Lists of people as other programs export them: decoded, divided into rows, read row by row."""

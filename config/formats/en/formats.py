"""English, read all over the world: the month in letters, the hours to 24."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"

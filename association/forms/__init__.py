"""The forms of the journey, of My partner and of the console."""

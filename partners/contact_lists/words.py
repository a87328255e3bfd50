"""Headings and names of countries in the one form in which they are compared."""

import unicodedata

# No heading and no country is longer. Decomposing takes quadratic time for many marks in a row.
_LONGEST = 100


def squashed(text: str) -> str:
    """Return the letters alone, without accents: "E-mail 2 - Value" and "EMAIL_VALUE" are alike."""
    letters = unicodedata.normalize("NFKD", text[:_LONGEST].casefold())
    return "".join(letter for letter in letters if letter.isalpha())

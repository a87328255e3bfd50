"""Random keys of rows that are in URLs, and the letters of random names."""

import secrets
from typing import Any

from django.db import models
from django.http import Http404

# Crockford's base32: no two of its digits and letters are taken for each other when typed.
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
LONGEST_KEY = 18
# Always as long as that; earlier keys, from a sequence, are far below.
_SMALLEST: int = 10 ** (LONGEST_KEY - 1)
_NUMBER = 9 * _SMALLEST


def random_id() -> int:
    """Return a key that tells neither how many rows there are nor which others exist."""
    return _SMALLEST + secrets.randbelow(_NUMBER)


def key_or_404(text: str) -> int:
    """Return the key that a URL or a form names. Raises Http404 for a text that cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_KEY):
        raise Http404
    return int(text)


class RandomIdField(models.BigIntegerField):  # type: ignore[type-arg]
    """A primary key in URLs: partners could count each other's rows by a sequence.

    It says nothing about order: sort by a moment first.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        options.update(primary_key=True, default=random_id, editable=False, verbose_name="ID")
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        for fixed in ("primary_key", "default", "editable", "verbose_name"):
            options.pop(fixed, None)
        return name, path, args, options

"""Random primary keys, for rows whose keys are in URLs."""

import secrets
from typing import Any

from django.db import models

# Always 18 digits: forms read keys of up to 18, and earlier keys, from a sequence, are far below.
_SMALLEST = 10**17
_NUMBER = 9 * 10**17


def random_id() -> int:
    """Return a key that tells neither how many rows there are nor which others exist."""
    return _SMALLEST + secrets.randbelow(_NUMBER)


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

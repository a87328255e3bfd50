"""Form fields for days and moments as people write them: with ASCII digits, like numbers.

Python's parsers also read the digits of other scripts. No browser sends them in a date.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_JOINED = re.compile(r"[0-9]_[0-9]")


def has_strange_digits(text: str) -> bool:
    """Return whether the text has digits of other scripts, or joined as in `2_026`."""
    return bool(_JOINED.search(text)) or any(
        character.isdigit() and not character.isascii() for character in text
    )


class _PlainDigits(forms.Field):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and has_strange_digits(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class DateField(_PlainDigits, forms.DateField):
    pass


class TimeField(_PlainDigits, forms.TimeField):
    pass


class DateTimeField(_PlainDigits, forms.DateTimeField):
    pass


class SplitDateTimeField(forms.SplitDateTimeField):
    """Two inputs, as the admin has them."""

    def clean(self, value: Any) -> Any:
        for text, code in zip(value or (), ("invalid_date", "invalid_time"), strict=False):
            if isinstance(text, str) and has_strange_digits(text):
                raise ValidationError(self.error_messages[code], code=code)
        return super().clean(value)

"""Form fields for numbers as people write them: ASCII digits, a sign, a decimal point.

Python also reads `1_0` as ten, `1e1`, and the digits of other scripts. A number that only a program
would write so is a mistake, or an attack.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

_WHOLE = re.compile(r"\s*[+-]?[0-9]+\s*")
_DECIMAL = re.compile(r"\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)\s*")


class WholeNumberField(forms.IntegerField):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and not _WHOLE.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class DecimalNumberField(forms.DecimalField):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip() and not _DECIMAL.fullmatch(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)

"""Form fields for numbers as people write them: ASCII digits, a sign, a decimal point or comma.

Python also reads `1_0` as ten, `1e1`, and the digits of other scripts. A number that only a program
would write so is a mistake, or an attack.
"""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from web.typed_text import trim

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]*|,[0-9]+)?|[.,][0-9]+")
# Groups of three digits, with the same mark between all of them; before the cents another mark.
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}(?P<mark>[\s'’.,])[0-9]{3}((?P=mark)[0-9]{3})*"
    r"((?!(?P=mark))[.,][0-9]{1,2})?"
)
# Fifteen hundred for some readers, one and a half for others.
_TWO_READINGS = re.compile(r"([1-9][0-9]{0,2})[.,]([0-9]{2})([0-9])")


class WholeNumberField(forms.IntegerField):
    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = trim(value)
            if value and not _WHOLE.fullmatch(value):
                raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class DecimalNumberField(forms.DecimalField):
    """A decimal number; `docs/decisions/0034` has the table of what is understood."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {
        "two_readings": _(
            "This can be read in two ways. Write %(whole)s for a whole number, or %(cents)s if the"
            " last digits are cents."
        ),
    }

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = trim(value)
            value = self._plain(value) if value else value
        return super().to_python(value)

    def _plain(self, text: str) -> str:
        """Return the number with at most a sign and a point, as Python reads it."""
        text = text.replace("\N{MINUS SIGN}", "-")
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("", text)
        if two := _TWO_READINGS.fullmatch(digits):
            names = {
                "whole": f"{sign}{two[1]}{two[2]}{two[3]}",
                "cents": f"{sign}{two[1]}.{two[2]}",
            }
            raise ValidationError(
                self.error_messages["two_readings"], code="two_readings", params=names
            )
        if grouped := _GROUPED.fullmatch(digits):
            digits = digits.replace(grouped["mark"], "")
        elif not _DECIMAL.fullmatch(digits):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return sign + digits.replace(",", ".")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out `step`: a number field sends an empty text for what it cannot parse."""
        return {}

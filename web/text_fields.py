"""Form fields for text: what was typed is cleaned first, then checked."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from web.email_addresses import is_address
from web.typed_text import (
    address_of_named,
    clean_address,
    clean_code,
    clean_line,
    clean_lines,
    is_exact_key,
)


class LineField(forms.CharField):
    """A name, a label, or what is searched for."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(clean_line(value) if isinstance(value, str) else value)


class KeyField(LineField):
    """A key of another system. It is refused where cleaning would make another key of it."""

    default_error_messages = {
        "key_not_exact": _(
            "A key has no blanks at its ends, no two blanks in a row, no line breaks, nothing that"
            " cannot be seen, and is in Unicode’s form NFC."
        )
    }

    def to_python(self, value: Any) -> Any:
        cleaned = super().to_python(value)
        if isinstance(value, str) and cleaned and not is_exact_key(value):
            raise ValidationError(self.error_messages["key_not_exact"], code="key_not_exact")
        return cleaned


class LinesField(forms.CharField):
    """A note or a reason, which may have several lines."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        return super().to_python(clean_lines(value) if isinstance(value, str) else value)


class CodeTextField(forms.CharField):
    """A code: digits or letters, in groups or not."""

    def to_python(self, value: Any) -> str:
        return clean_code(super().to_python(value) or "")


class AddressField(forms.CharField):
    """One e-mail address, as it was typed but without what is copied with it.

    `named`: `Name <address>` is understood too, for the address of somebody else.
    """

    widget: Any = forms.EmailInput
    default_error_messages = {"invalid": _("Enter an e-mail address like name@example.com.")}

    def __init__(self, *, named: bool = False, **options: Any) -> None:
        self.named = named
        super().__init__(**{**options, "strip": False})

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        address = address_of_named(text) if self.named else clean_address(text)
        # Nothing is removed twice: what is left is stored.
        if address and not (is_address(address) and clean_address(address) == address):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return address

"""The fields of forms about people: country, e-mail address, code and password."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from web.email_addresses import InvalidAddress, canonical_address

LONGEST_PASSWORD = 1024
# Registration is for the international site; the Chinese mainland has one of its own.
NOT_OFFERED = {"CN"}
_BETWEEN_DIGITS = re.compile(r"[\s\u00ad\u2010-\u2015\u2212.-]+")


@cache
def countries_in(language: str) -> list[tuple[str, str]]:
    with translation.override(language):
        offered = [(code, str(name)) for code, name in countries if code not in NOT_OFFERED]
        return [("", str(_("Choose a country or region"))), *offered]


@cache
def country_options(language: str) -> SafeString:
    return format_html_join("", '<option value="{}">{}</option>', countries_in(language))


def offered_countries() -> list[tuple[str, str]]:
    return countries_in(get_language() or settings.LANGUAGE_CODE)


class CountrySelect(forms.Select):
    """The list of countries. It is rendered once per language, then one of them is selected.

    Django renders a template for each of the 250 options, which took two thirds of the page's time.
    """

    def use_required_attribute(self, initial: Any) -> bool:
        """Return True: the first option has no value. Django goes through all of them to see it."""
        return True

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        option = format_html('<option value="{}"', "" if value is None else value)
        options = country_options(get_language() or settings.LANGUAGE_CODE)
        return format_html(
            "<select{}>{}</select>",
            flatatt({"name": name, **self.build_attrs(self.attrs, attrs)}),
            SafeString(options.replace(f"{option}>", f"{option} selected>")),
        )


def capitalised(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [(value, capfirst(label)) for value, label in choices]


class CountryField(forms.ChoiceField):
    def __init__(self, *, label: Any = _("Country/Region"), **options: Any) -> None:
        super().__init__(
            label=label,
            choices=offered_countries,
            widget=CountrySelect(attrs={"autocomplete": "country"}),
            error_messages={
                "required": _("Choose your country or region."),
                "invalid_choice": _("Choose a country or region from the list."),
            },
            **options,
        )


class EmailField(forms.CharField):
    widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    default_error_messages = {
        "required": _("Enter your e-mail address."),
        "invalid": _("Enter an e-mail address like name@example.com."),
    }

    def __init__(self, *, label: Any = _("E-mail"), **options: Any) -> None:
        super().__init__(label=label, strip=False, **options)

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").strip(" ")
        if text:
            try:
                canonical_address(text)
            except InvalidAddress as error:
                raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        return text


class UnseenInput(forms.TextInput):
    def format_value(self, value: Any) -> None:
        return


class CodeField(forms.CharField):
    """Six digits; spaces, hyphens and other scripts' digits are accepted."""

    widget = UnseenInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}
    )
    default_error_messages = {
        "required": _("Enter the code from the e-mail."),
        "invalid": _("The code has six digits. Enter it as the e-mail shows it."),
    }

    def to_python(self, value: Any) -> str:
        text = _BETWEEN_DIGITS.sub("", super().to_python(value) or "")
        if text and not (len(text) == 6 and text.isdecimal()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return "".join(str(int(digit)) for digit in text)


class _PasswordField(forms.CharField):
    def __init__(self, *, autocomplete: str, label: Any = _("Password"), **options: Any) -> None:
        super().__init__(
            label=label,
            strip=False,
            max_length=LONGEST_PASSWORD,
            widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
            error_messages={
                "required": _("Enter a password."),
                "max_length": _("Use at most 1,024 characters."),
            },
            **options,
        )

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Leave out `maxlength`: browsers cut what is pasted and do not say so."""
        attributes = super().widget_attrs(widget)
        attributes.pop("maxlength", None)
        return attributes


class NewPasswordField(_PasswordField):
    def __init__(self, **options: Any) -> None:
        text = _(
            "At least 12 characters. A few unrelated words are easy to remember and hard to guess."
        )
        super().__init__(autocomplete="new-password", **{"help_text": text, **options})


class PresentPasswordField(_PasswordField):
    def __init__(self, **options: Any) -> None:
        super().__init__(autocomplete="current-password", **options)

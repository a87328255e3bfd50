"""The fields of forms about people: country, e-mail address, code and password."""

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

from web.text_fields import AddressField, CodeTextField

LONGEST_PASSWORD = 1024
# Registration is for the international site; the Chinese mainland has one of its own.
NOT_OFFERED = {"CN"}


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


class EmailField(AddressField):
    widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
    default_error_messages = {"required": _("Enter your e-mail address.")}

    def __init__(self, *, label: Any = _("E-mail"), **options: Any) -> None:
        super().__init__(label=label, **options)


class OthersEmailField(EmailField):
    """The e-mail address of somebody else, often copied from an e-mail with the name."""

    widget = forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    default_error_messages = {"required": _("Enter the e-mail address of the person to invite.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(named=True, **options)


class UnseenInput(forms.TextInput):
    def format_value(self, value: Any) -> None:
        return


class CodeField(CodeTextField):
    """Six digits."""

    widget = UnseenInput(
        attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code"}
    )
    default_error_messages = {
        "required": _("Enter the code from the e-mail."),
        "invalid": _("The code has six digits. Enter it as the e-mail shows it."),
    }

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if text and not (len(text) == 6 and text.isdecimal()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return text


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

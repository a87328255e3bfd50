"""The form field for a time zone: a text with suggestions, understood as people write places."""

import zoneinfo
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from partners.models.partners import NO_ZONES
from web.text_fields import LineField

# The database also has old names and technical ones; those are understood, and not suggested.
_REGIONS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


@cache
def known_zones() -> frozenset[str]:
    """Read the names once: Django would search the system's files at each request."""
    return frozenset(zoneinfo.available_timezones() - NO_ZONES)


@cache
def suggested_zones() -> tuple[str, ...]:
    return ("UTC", *sorted(name for name in known_zones() if name.startswith(_REGIONS)))


@cache
def _options() -> SafeString:
    return format_html_join("", '<option value="{}">', ((name,) for name in suggested_zones()))


@cache
def _by_typed() -> dict[str, str]:
    """Return the zone by what people type: its name or, where only one has it, its place."""
    by_place: dict[str, set[str]] = {}
    for name in suggested_zones():
        by_place.setdefault(_key(name.rpartition("/")[2]), set()).add(name)
    places = {place: min(names) for place, names in by_place.items() if len(names) == 1}
    return places | {_key(name): name for name in sorted(known_zones())}


def _key(text: str) -> str:
    return text.casefold().replace("_", " ")


class TimeZoneInput(forms.TextInput):
    """A text field with a list of suggestions: typing any part of a name finds it."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        suggestions = f"{(attrs or {}).get('id', name)}_suggestions"
        field = super().render(name, value, {**(attrs or {}), "list": suggestions}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', field, suggestions, _options())


class TimeZoneField(LineField):
    widget = TimeZoneInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    default_error_messages = {
        "required": _("Choose a time zone."),
        "invalid": _("Choose a time zone from the list, like Europe/Dublin."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, **options)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return text
        zone = _by_typed().get(_key(text))
        if zone is None:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return zone

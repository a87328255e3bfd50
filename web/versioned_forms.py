"""Forms that carry the version of the values that their page shows."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from web.moments import moment_text
from web.shown_versions import ShownVersion, Values

SHOWN_VERSION = "shown_version"
LONGEST_TEXT = 120
NOT_SAVED = _(
    "This has changed since you opened the page. Nothing was done. Check what is new; what you"
    " typed is still here. Press the button again to go on."
)
NOT_SHOWN = _("We cannot tell what this page showed you. Check it, and press the button again.")


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who last changed a value, when, and the values before, by name, as far as they are known."""

    by: str
    at: datetime
    before: Values


class ShownVersionField(forms.Field):
    """The hidden field; a missing or malformed version becomes None."""

    widget = forms.HiddenInput
    is_renewed = False

    def bound_data(self, data: Any, initial: Any) -> Any:
        return initial if self.is_renewed else data

    def to_python(self, value: Any) -> ShownVersion | None:
        return None if value is None else ShownVersion.parse(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class VersionedForm(forms.Form):
    """A form about something that exists: it is valid only with the version its page showed.

    `shows` are the values that the page shows and the action depends on. `cleaned_data` has the
    version as `shown_version`, for the service that compares it under its lock. A form with errors
    keeps the version that was sent, so that a change is still noticed; after a conflict it carries
    the version of what the page shows then, so that it can be sent again on purpose.
    """

    def __init__(self, *args: Any, shows: Values, **options: Any) -> None:
        super().__init__(*args, **options)
        self.version_field = ShownVersionField(required=False)
        self.fields[SHOWN_VERSION] = self.version_field
        self.show(shows)

    def show(self, values: Values) -> None:
        """Tell the form what its page shows now."""
        self.shows = values
        self.version_field.initial = str(ShownVersion.of(values))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get(SHOWN_VERSION) is None:
            self.add_error(None, NOT_SHOWN)
            self.version_field.is_renewed = True
        return cleaned

    def report_conflict(self, names: Collection[str], changes: Mapping[str, LastChange]) -> None:
        """Say at each changed field what it is now; `show()` the present values before that.

        A field keeps what was typed. One that was not touched shows its present value, so
        that pressing the button again takes back only what is meant.
        """
        version = self.cleaned_data[SHOWN_VERSION]
        typed = ShownVersion.of({name: plain(self.cleaned_data.get(name)) for name in names})
        for name in names:
            if typed.digests[name] == version.digests.get(name):
                self._show_present(name)
            self.add_error(name, self._labelled(name, changes.get(name)))
        self.report_sentences(())

    def _show_present(self, name: str) -> None:
        field, present = self.fields[name], self.shows[name]
        field.bound_data = lambda data, initial: present  # type: ignore[method-assign]

    def report_sentences(self, sentences: Iterable[str]) -> None:
        """Say at the top what has changed that no field shows, as `report_conflict()` does."""
        self.add_error(None, NOT_SAVED)
        for sentence in sentences:
            self.add_error(None, sentence)
        self.version_field.is_renewed = True

    def sentences(self, names: Iterable[str], changes: Mapping[str, LastChange]) -> list[str]:
        """Return what each field is now, after its label: for a page without the fields."""
        return [self._labelled(name, changes.get(name)) for name in names]

    def _labelled(self, name: str, change: LastChange | None) -> str:
        """Name the field too: the list of errors at the top of the page shows no labels."""
        return f"{self[name].label}: {self._sentence(name, change)}"

    def _sentence(self, name: str, change: LastChange | None) -> str:
        field = self.fields[name]
        now = shown_text(field, self.shows[name])
        if change is None or name not in change.before:
            return gettext("Now it is %(now)s.") % {"now": now}
        text = gettext("Now it is %(now)s. %(who)s changed it on %(moment)s; it was %(before)s.")
        return text % {
            "now": now,
            "who": change.by,
            "moment": moment_text(change.at),
            "before": shown_text(field, change.before[name]),
        }


def plain(value: Any) -> Any:
    """Return related rows as their keys, in an order that does not depend on the query."""
    if isinstance(value, list | tuple | models.QuerySet):
        return sorted(getattr(row, "pk", row) for row in value)
    return value.pk if isinstance(value, models.Model) else value


def shown_text(field: Any, value: Any) -> str:
    """Return a value of the field as a person reads it in a sentence."""
    if isinstance(value, bool) or hasattr(field, "queryset"):
        return value_words(field, value)
    text = value_words(field, value)
    return f"“{Truncator(text).chars(LONGEST_TEXT)}”" if text else gettext("empty")


def value_words(field: Any, value: Any) -> str:
    """Return a value of the field in words, choices by their labels; "" where it is empty."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if hasattr(field, "queryset"):
        return _names(field, value)
    text = "" if value is None else str(value)
    if isinstance(field, forms.DateTimeField | forms.SplitDateTimeField):
        moment = value if isinstance(value, datetime) else parse_datetime(text)
        text = moment_text(moment) if moment else text
    words = _words(getattr(field, "choices", ()))
    if isinstance(value, list):
        text = ", ".join(words.get(part, part) for part in map(str, value))
    return words.get(text, text)


def _names(field: Any, value: Any) -> str:
    """Return the names of the related rows that the value has: rows, keys, or one of either."""
    several = value if isinstance(value, list | tuple) else [value]
    keys = [getattr(one, "pk", one) for one in several if one is not None]
    names = [str(row) for row in field.queryset.filter(pk__in=keys)]
    return ", ".join(names) or gettext("empty")


def _words(choices: Iterable[Any]) -> dict[str, str]:
    words: dict[str, str] = {}
    for value, label in choices:
        if isinstance(label, list | tuple):
            words |= _words(label)
        else:
            words[str(value)] = str(label)
    return words

"""Which values a version tells apart, and what a form makes of it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django import forms
from django.utils.functional import lazystr

from web.shown_versions import ChangedMeanwhile, ShownVersion, check_shown
from web.versioned_forms import LastChange, VersionedForm, shown_text

AT = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
SHOWN = {"label": "Spring", "uses": 5, "ends": AT, "price": Decimal("5.00"), "rows": [1, 2]}


class NoteForm(VersionedForm):
    label = forms.CharField()
    uses = forms.IntegerField(required=False)


def note(shown, **typed):
    """Return the form that somebody sends late, when the label is Summer."""
    version = {} if shown is None else {"shown_version": str(ShownVersion.of(shown))}
    return NoteForm({**typed, **version}, shows={"label": "Summer", "uses": 5})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("label", "spring"), ("label", ""), ("label", None)),
        *(("uses", 6), ("uses", "5"), ("uses", None), ("uses", True)),
        *(("ends", AT + timedelta(seconds=1)), ("ends", None)),
        *(("price", Decimal("5.01")), ("rows", [2, 1]), ("rows", [])),
    ],
)
def test_each_change_is_noticed_and_named(name, value):
    version = ShownVersion.parse(str(ShownVersion.of(SHOWN)))

    with pytest.raises(ChangedMeanwhile) as refused:
        check_shown(version, {**SHOWN, name: value}, about="note")

    assert (refused.value.names, refused.value.context) == ([name], {"about": "note"})


def test_same_values_pass_in_any_order_and_so_does_an_action_without_a_page():
    check_shown(ShownVersion.of(SHOWN), dict(reversed(SHOWN.items())))
    check_shown(None, {**SHOWN, "label": "Summer"})


def test_value_that_is_gone_is_no_change_and_a_new_one_is():
    version = ShownVersion.of({"freeze-1": "late", "freeze-2": "late"})

    assert version.changed(ShownVersion.of({"freeze-2": "late"})) == []
    assert version.changed(ShownVersion.of({"freeze-3": "late"})) == ["freeze-3"]


def test_values_that_json_does_not_know_are_compared_by_their_text():
    values = {"lazy": lazystr("a"), "key": UUID(int=5), "other": re.compile("x")}

    assert ShownVersion.of(values).changed(ShownVersion.of(dict(values))) == []


@pytest.mark.parametrize("text", ["label", "label:", "label:xyz", "a b:0", "\0", "ä:" + "0" * 16])
def test_text_that_is_no_version_is_none(text):
    assert ShownVersion.parse(text) is None


def test_form_without_a_version_is_invalid_and_carries_the_present_one():
    form = note(None, label="Autumn")

    assert not form.is_valid()
    present = str(ShownVersion.of({"label": "Summer", "uses": 5}))
    assert (form["shown_version"].value(), form["label"].value()) == (present, "Autumn")


def test_form_with_another_error_keeps_the_version_that_was_sent():
    shown = {"label": "Spring", "uses": 5}
    form = note(shown, label="")

    assert not form.is_valid()
    assert form["shown_version"].value() == str(ShownVersion.of(shown))


@pytest.mark.parametrize(("typed", "kept"), [("Autumn", "Autumn"), ("Spring", "Summer")])
def test_conflict_keeps_what_was_typed_and_renews_what_was_not(typed, kept):
    form = note({"label": "Spring", "uses": 5}, label=typed, uses="5")
    assert form.is_valid()

    form.report_conflict(["label"], {"label": LastChange("Ann", AT, {"label": "Spring"})})

    assert form.errors["label"] == [
        "Label: Now it is “Summer”. Ann changed it on 28 November 2026, 12:30 UTC; it was “Spring”."
    ]
    assert (form["label"].value(), form["uses"].value()) == (kept, "5")
    sent_again = NoteForm(
        {"label": typed, "shown_version": form["shown_version"].value()}, shows=form.shows
    )
    assert sent_again.is_valid()
    assert sent_again.cleaned_data["shown_version"].changed(ShownVersion.of(form.shows)) == []


def test_who_is_not_said_where_the_trail_does_not_know():
    form = note({"label": "Spring", "uses": 5}, label="Autumn")
    assert form.is_valid()

    form.report_conflict(["label"], {"label": LastChange("Ann", AT, {})})

    assert form.errors["label"] == ["Label: Now it is “Summer”."]


CHOICES = [("a", "Alpha"), ("Group", [("b", "Beta")])]


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        (forms.CharField(), "x" * 200, f"“{'x' * 119}…”"),
        (forms.CharField(), None, "empty"),
        (forms.BooleanField(), True, "yes"),
        (forms.BooleanField(), False, "no"),
        (forms.ChoiceField(choices=CHOICES), "b", "“Beta”"),
        (forms.ChoiceField(choices=CHOICES), "gone", "“gone”"),
        (forms.ChoiceField(choices=[("", "None of them")]), None, "“None of them”"),
        (forms.DateTimeField(), AT, "“28 November 2026, 12:30 UTC”"),
        (forms.DateTimeField(), AT.isoformat(), "“28 November 2026, 12:30 UTC”"),
        (forms.IntegerField(), 0, "“0”"),
    ],
)
def test_value_is_said_as_a_person_reads_it(field, value, text):
    assert shown_text(field, value) == text

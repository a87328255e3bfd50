"""Names in headings and titles are isolated: a direction mark in one does not turn the sentence."""

import re

import pytest

from tests.conventions.sources import ROOT, name, templates
from web.templatetags.isolation import isolated

HEADING = re.compile(r"<h([12])\b[^>]*>(.*?)</h\1>", re.DOTALL)
TITLE = re.compile(r"{% block title %}(.*?){% endblock title %}", re.DOTALL)
ISOLATED = re.compile(r"<bdi>.*?</bdi>|{{[^}]*\|isolated\s*}}", re.DOTALL)
VARIABLE = re.compile(r"{{\s*([\w.]+)")
# Numbers, and a name that the operator chooses.
HARMLESS = {"shown", "chosen", "number", "PROVIDER_NAME"}
# In a title, names that were isolated where the sentence takes them.
TAKEN = re.compile(r"(\w+)=[\w.]+\|isolated")


def open_names(text):
    """Return the variables of a heading or a title that are not isolated."""
    found = set(VARIABLE.findall(ISOLATED.sub("", text)))
    return found - HARMLESS - set(TAKEN.findall(text))


def test_variables_in_headings_are_isolated():
    found = {
        f"{name(path)}: {variable}"
        for path in templates()
        if path.suffix == ".html"
        for _level, heading in HEADING.findall(path.read_text())
        for variable in open_names(heading)
    }
    assert found == set()


def test_variables_in_titles_of_partners_pages_are_isolated():
    found = {
        f"{name(path)}: {variable}"
        for path in (ROOT / "templates" / "partners").glob("*.html")
        for title in TITLE.findall(path.read_text())
        for variable in open_names(title)
    }
    assert found == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{ batch.label }}", {"batch.label"}),
        ("<bdi>{{ batch.label }}</bdi>", set()),
        ("{{ batch.label|isolated }}", set()),
        ("Remove {{ name }}?", {"name"}),
        ("<bdi>{{ name }}</bdi> and {{ other|default:name }}", {"other"}),
        ("{% blocktranslate with partner=partner.name|isolated %}{{ partner }}", set()),
        ("{{ shown }} links", set()),
    ],
)
def test_open_name_is_noticed(text, names):
    assert open_names(text) == names


def test_isolated_text_is_between_marks():
    assert isolated("Fair \u202e2026") == "\u2068Fair \u202e2026\u2069"

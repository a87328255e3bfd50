"""What templates and static files must not contain, and what components document."""

import re

import pytest

from tests.conventions.sources import ROOT, name, templates

INLINE = re.compile(
    r"""<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:""",
    re.IGNORECASE,
)
# Any address of another host; names of XML vocabularies are never fetched.
FOREIGN = re.compile(r"""(?:https?:|["'(=]\s*)//(?!www\.w3\.org/)[a-z0-9]""", re.IGNORECASE)
# An include that passes nothing but what it names.
INCLUDE_ONLY = re.compile(r'{% include "([^"]+)"(?: with ([^%]*))? only %}')
CONTRACT = re.compile(r"^(?:{% load [^%]*%}\s*)?{% comment %}\n\S.*\n", re.DOTALL)


def files_with(pattern, paths):
    return [name(path) for path in paths if pattern.search(path.read_text())]


def static_files():
    return [path for path in (ROOT / "static").rglob("*") if path.suffix in {".css", ".js", ".svg"}]


def test_pages_contain_no_inline_style_or_script():
    assert files_with(INLINE, templates(emails=False)) == []


@pytest.mark.parametrize(
    "text",
    [
        '<p style="color: red">',
        "<style>",
        "<script>alert()</script>",
        "<a onclick='x'>",
        '<a href="javascript:x">',
    ],
)
def test_inline_style_or_script_is_noticed(text):
    assert INLINE.search(text)


def test_no_other_host_is_named():
    assert files_with(FOREIGN, [*templates(), *static_files()]) == []


@pytest.mark.parametrize(
    "text",
    ['src="//cdn.example/x.js"', "url(https://fonts.example/a)", "@import 'http://x.example'"],
)
def test_another_host_is_noticed(text):
    assert FOREIGN.search(text)


def test_components_state_their_contract():
    components = list((ROOT / "templates" / "components").glob("*.html"))

    assert [name(path) for path in components if not CONTRACT.match(path.read_text())] == []
    assert components != []


def test_end_blocks_are_named():
    assert files_with(re.compile(r"{% endblock %}"), templates()) == []


def includes_without_token(text, templates_with_form):
    """Return the included templates that have a form and do not get its CSRF token."""
    return [
        included
        for included, names in INCLUDE_ONLY.findall(text)
        if included in templates_with_form and "csrf_token=csrf_token" not in names
    ]


def test_every_included_form_gets_its_csrf_token():
    folder = ROOT / "templates"
    with_form = {
        str(path.relative_to(folder))
        for path in folder.rglob("*.html")
        if "{% csrf_token %}" in path.read_text()
    }
    found = {
        name(path): includes_without_token(path.read_text(), with_form) for path in templates()
    }

    assert {path: missing for path, missing in found.items() if missing} == {}
    assert with_form != set()


def test_an_included_form_without_its_token_is_noticed():
    include = '{% include "a.html" with form=form only %}'

    assert includes_without_token(include, {"a.html"}) == ["a.html"]
    assert includes_without_token(include, {"b.html"}) == []
    assert (
        includes_without_token(include.replace("form=form", "csrf_token=csrf_token"), {"a.html"})
        == []
    )


def test_who_acts_for_the_provider_is_decided_by_one_rule():
    """The one exception is a link that only those may follow who may open the admin."""
    by_field = files_with(re.compile(r"\bis_staff\b"), templates())
    assert by_field == ["templates/association/account_home.html"]

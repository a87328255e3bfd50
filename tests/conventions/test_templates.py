"""What templates and static files never hold, and what components say of themselves."""

import re

import pytest

from tests.conventions.sources import ROOT, name, templates

INLINE = re.compile(
    r"""<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:""",
    re.IGNORECASE,
)
# Any address of another host; names of XML vocabularies are never fetched.
FOREIGN = re.compile(r"""(?:https?:|["'(=]\s*)//(?!www\.w3\.org/)[a-z0-9]""", re.IGNORECASE)
CONTRACT = re.compile(r"^(?:{% load [^%]*%}\s*)?{% comment %}\n\S.*\n", re.DOTALL)


def holding(pattern, paths):
    return [name(path) for path in paths if pattern.search(path.read_text())]


def static_files():
    return [path for path in (ROOT / "static").rglob("*") if path.suffix in {".css", ".js", ".svg"}]


def test_pages_hold_no_inline_style_or_script():
    assert holding(INLINE, templates(mails=False)) == []


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
    assert holding(FOREIGN, [*templates(), *static_files()]) == []


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
    assert holding(re.compile(r"{% endblock %}"), templates()) == []

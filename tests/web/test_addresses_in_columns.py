"""Addresses in narrow columns break after "@" and dots, and are escaped."""

import pytest

from web.templatetags.addresses import breakable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ada.king@mail.example.org", "ada.<wbr>king@<wbr>mail.<wbr>example.<wbr>org"),
        ("a…@example.org", "a…@<wbr>example.<wbr>org"),
        ("<b>@x.example", "&lt;b&gt;@<wbr>x.<wbr>example"),
        ('"a@b"@x', "&quot;a@<wbr>b&quot;@<wbr>x"),
        ("ends.", "ends."),
        ("", ""),
    ],
)
def test_a_line_breaks_after_signs_only(text, shown):
    assert breakable(text) == shown

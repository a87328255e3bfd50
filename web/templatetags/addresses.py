"""Showing e-mail addresses in narrow columns."""

import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
_AFTER = re.compile(r"(?<=[@.])(?=.)", re.DOTALL)


@register.filter
def breakable(text: str) -> SafeString:
    """Let a line break after "@" and dots, before it breaks within a word."""
    *parts, last = _AFTER.split(str(text))
    return format_html_join("", "{}<wbr>", ((part,) for part in parts)) + format_html("{}", last)

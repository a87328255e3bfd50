"""Names whose writing direction does not change the text around them."""

from django import template

register = template.Library()

FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"


@register.filter
def isolated(text: str) -> str:
    """Return the text as `<bdi>` would show it, for places without elements: `<title>`, for one."""
    return f"{FIRST_STRONG_ISOLATE}{text}{POP_DIRECTIONAL_ISOLATE}"

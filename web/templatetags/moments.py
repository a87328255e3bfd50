"""Moments in templates, also inside translated sentences."""

from datetime import datetime

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

register = template.Library()


@register.filter
def moment(at: datetime) -> SafeString:
    """Return the moment in the reader's format, with its zone."""
    local = localtime(at)
    shown = date_format(local, "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{} {}</time>', local.isoformat(), shown, f"{local:%Z}")

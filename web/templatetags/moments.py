"""Moments in templates, also inside translated sentences."""

from datetime import datetime, tzinfo

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.utils.translation import gettext

from web.moments import clock_text, local_moment, moment_text, next_minute

register = template.Library()


# For e-mails and other plain text.
register.filter(moment_text)


@register.filter
def moment(at: datetime, zone: tzinfo | None = None) -> SafeString:
    """Return the moment in the reader's format, with its zone: the active one, or this one."""
    local = local_moment(at, zone)
    shown = date_format(local, "DATETIME_FORMAT")
    # Nothing in it comes from a person. Escaping three texts is 70 Python calls, which the landing
    # page of an e-mail invitation would pay at every visit.
    return SafeString(f'<time datetime="{local.isoformat()}">{shown} {local:%Z}</time>')


@register.filter
def clock(at: datetime) -> SafeString:
    """Return the time of the day with its zone, and with the day unless that is today."""
    local = local_moment(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), clock_text(at))


@register.filter
def next_clock(at: datetime) -> SafeString:
    """Return the first whole minute at or after the moment, as `clock` does."""
    return clock(next_minute(at))


@register.filter
def short_moment(at: datetime) -> SafeString:
    """Return the moment for a column of a table; its title says it in full, with the zone."""
    local = local_moment(at)
    is_this_year = local.year == local_moment(now()).year
    shown = date_format(local, gettext("j M, H:i") if is_this_year else gettext("j M Y, H:i"))
    full = f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), full, shown)

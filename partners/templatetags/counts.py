"""Showing counts that were made no further than a limit, alike on every page."""

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _

from partners.services.pages import Count

register = template.Library()


@register.filter
def counted(count: Count) -> str:
    number = str(intcomma(count.number))
    return _("more than %(number)s") % {"number": number} if count.is_more else number

"""Showing money."""

from decimal import Decimal

from django import template
from django.conf import settings
from django.utils.formats import number_format

register = template.Library()


@register.filter
def money(amount: Decimal) -> str:
    """Return the amount as the reader writes numbers, with two places and the currency."""
    number = number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=True)
    return f"{number}\N{NO-BREAK SPACE}{settings.CURRENCY}"

"""What a frozen partner may still do and what not, alike on every page and in its e-mail."""

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.simple_tag
def what_still_works() -> str:
    return _("You can read everything, set budgets, unfreeze customers and answer requests to end.")


@register.simple_tag
def what_does_not_work() -> str:
    """Inviting colleagues to the console stays possible, so customers are named."""
    return _(
        "You cannot invite customers, freeze them or request authorizations. Nor can you order or"
        " operate anything for them, even with their authorization."
    )

"""The sentence that says who bills the customer, alike on all pages and in all e-mails."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from partners.enums import AssociationType

register = template.Library()


@register.simple_tag
def who_bills(association_type: str, partner_name: str) -> str:
    """Return who sends the bills of an associated account.

    It is true before joining and afterwards, until the association ends. Templates escape it.
    """
    names = {"partner": partner_name, "provider": settings.PROVIDER_NAME}
    if association_type == AssociationType.RESELLER:
        text = _("%(partner)s bills you for what your account uses, from the association on.")
    else:
        text = _("%(provider)s bills you for what your account uses. %(partner)s does not.")
    return text % names

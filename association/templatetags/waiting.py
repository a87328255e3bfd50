"""How much waits for a member of a partner, in the console's navigation."""

from django import template

from association.services.overview import waiting_counts
from partners.models import PartnerMember
from partners.services.pages import Count

register = template.Library()


@register.simple_tag
def what_waits(member: PartnerMember) -> dict[str, Count]:
    """Return the counts as `customers` and `requests`; one statement."""
    customers, requests = waiting_counts(member)
    return {"customers": customers, "requests": requests}

"""How much waits for a member of a partner, in the console's navigation."""

from django import template

from association.services.overview import waiting_counts
from partners.models import PartnerMember
from partners.services.pages import Count

register = template.Library()


@register.simple_tag
def what_waits(member: PartnerMember) -> dict[str, Count]:
    """Return the counts as `customers`, `requests` and, of both, `all`; one statement."""
    customers, requests = waiting_counts(member)
    both = Count(customers.number + requests.number, customers.is_more or requests.is_more)
    return {"customers": customers, "requests": requests, "all": both}

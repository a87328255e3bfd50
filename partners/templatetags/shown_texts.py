"""Showing texts in which an e-mail address may be, to members who may not reveal addresses too."""

from django import template

from partners.models import PartnerMember

register = template.Library()


@register.filter
def shown_to(text: str, member: PartnerMember) -> str:
    return member.readable(text)

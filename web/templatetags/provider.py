"""The tag that names the provider's support."""

from django import template

from web.provider import provider_contacts

register = template.Library()
register.simple_tag(provider_contacts)

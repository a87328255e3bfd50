"""How to reach the provider, alike on every page and in every e-mail."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def provider_contacts() -> list[dict[str, str]]:
    """Return the provider's support as {label, href}; empty where the operator has set neither."""
    email, url = settings.PROVIDER_SUPPORT_EMAIL, settings.PROVIDER_SUPPORT_URL
    contacts = [{"label": email, "href": f"mailto:{email}"}] if email else []
    return [*contacts, {"label": url, "href": url}] if url else contacts

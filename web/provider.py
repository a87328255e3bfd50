"""How to reach the provider's support, alike on every page and in every e-mail."""

from django.conf import settings


def provider_contacts() -> list[dict[str, str]]:
    """Return the provider's support as {label, href}; empty where the operator has set neither."""
    page, address = settings.PROVIDER_SUPPORT_URL, settings.PROVIDER_SUPPORT_EMAIL
    contacts = [{"label": page, "href": page}] if page else []
    return [*contacts, {"label": address, "href": f"mailto:{address}"}] if address else contacts


def support_url() -> str:
    """Return the first of `provider_contacts()` as a link, "" where there is none."""
    contacts = provider_contacts()
    return contacts[0]["href"] if contacts else ""

"""System checks: of settings that the environment gives, and of the database behind a pooler."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import DatabaseError, connection

from web.email_addresses import is_address
from web.origin import canonical_ip
from web.typed_text import clean_address

PROVIDER_URLS = (
    "PROVIDER_SUPPORT_URL",
    "PROVIDER_CONSOLE_URL",
    "PROVIDER_BILLING_URL",
    "PROVIDER_ENTERPRISE_URL",
)
PROVIDER_ADDRESSES = ("PROVIDER_SUPPORT_EMAIL", "PROVIDER_PRIVACY_EMAIL")


@checks.register
def check_provider_contacts(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    """Find addresses of the provider to which no link could lead. Each may be empty."""
    values = {name: getattr(settings, name) for name in (*PROVIDER_URLS, *PROVIDER_ADDRESSES)}
    wrong = [name for name in PROVIDER_URLS if values[name] and not _is_url(values[name])]
    wrong += [name for name in PROVIDER_ADDRESSES if values[name] and not _is_plain(values[name])]
    return [
        checks.Error(
            f"{name} is {values[name]!r}, to which no link can lead.",
            hint="Name one e-mail address."
            if name in PROVIDER_ADDRESSES
            else "Name a http(s) URL.",
            id="web.E002",
        )
        for name in wrong
    ]


def _is_url(text: str) -> bool:
    try:
        URLValidator(schemes=["http", "https"])(text)
    except ValidationError:
        return False
    return True


def _is_plain(text: str) -> bool:
    return is_address(text) and clean_address(text) == text


@checks.register(deploy=True)
def check_support_is_named(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    if settings.PROVIDER_SUPPORT_URL or settings.PROVIDER_SUPPORT_EMAIL:
        return []
    return [
        checks.Warning(
            "PROVIDER_SUPPORT_URL and PROVIDER_SUPPORT_EMAIL are empty: who is frozen by the"
            " provider is told to contact its support, and not how.",
            hint="Name a page, an e-mail address, or both.",
            id="web.W004",
        )
    ]


@checks.register(checks.Tags.security)
def check_proxy_addresses(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    return [
        checks.Error(
            f"TRUSTED_PROXIES names {proxy!r}, which is not a network address as we compare them.",
            hint="List single addresses, like 127.0.0.1,2001:db8::1; networks are not understood.",
            id="web.E001",
        )
        for proxy in settings.TRUSTED_PROXIES
        if canonical_ip(proxy) != proxy
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_proxies_are_named(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    # Outside the demo there is a proxy, because it does the TLS.
    if settings.DEMO or settings.TRUSTED_PROXIES:
        return []
    return [
        checks.Warning(
            "TRUSTED_PROXIES is empty: behind a proxy every visitor has the proxy's address, and"
            " each limit per address becomes one limit for the whole site.",
            hint="Name the proxy's address as this server sees it, mostly 127.0.0.1.",
            id="web.W001",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def check_role_has_limits(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    """Look for the limits that a pooler keeps us from setting ourselves."""
    if not settings.DATABASE_POOLER:
        return []
    try:
        missing = _limits_not_in_force()
    except DatabaseError as error:
        text = f"The database could not be asked for its limits: {str(error).strip()}"
        return [checks.Warning(text, id="web.W003")]
    return [
        checks.Warning(
            f"{name} is not in force: behind a pooler the role has to set it.",
            hint=f"ALTER ROLE {connection.settings_dict['USER']} SET {name} = …; see the pooler's "
            "chapter in docs/deployment.md.",
            id="web.W002",
        )
        for name in missing
    ]


def _limits_not_in_force() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = '0' ORDER BY name",
            [settings.DATABASE_LIMITS],
        )
        return [name for (name,) in cursor.fetchall()]

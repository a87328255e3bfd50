"""System checks: proxies must be named, and behind a pooler the database must limit statements."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection

from web.origin import canonical_ip


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

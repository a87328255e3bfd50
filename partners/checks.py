"""System checks: what an operator's settings must be so that links and QR codes work."""

import re
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

# Scheme, host and port of this length, with "/i/" and the token, still fit QR version 5.
LONGEST_BASE = 62
# In lower case, as browsers write the origin that every form's check compares it with.
_BASE = re.compile(
    r"https?://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?"
)


@checks.register
def check_public_base_url(
    app_configs: Sequence[AppConfig] | None, **options: Any
) -> list[checks.CheckMessage]:
    """Refuse a base that is more than scheme, host and port; warn of one that is long.

    The value is not repeated: it may hold a password.
    """
    base = _BASE.fullmatch(settings.PUBLIC_BASE_URL)
    if base is None or (base[1] is not None and not 0 < int(base[1]) < 2**16):
        return [
            checks.Error(
                "PUBLIC_BASE_URL is not scheme, host and optional port alone.",
                hint="Write it in lower case, like https://example.com or https://example.com:8443.",
                id="partners.E001",
            )
        ]
    if len(settings.PUBLIC_BASE_URL) > LONGEST_BASE:
        return [
            checks.Warning(
                f"PUBLIC_BASE_URL is longer than {LONGEST_BASE} characters.",
                hint="QR codes of invitations become larger than version 5, harder to scan.",
                id="partners.W001",
            )
        ]
    return []

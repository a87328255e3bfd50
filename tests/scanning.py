"""What a QR code of an invitation says."""

from typing import Any

from django.conf import settings


def scanned_text(invitation: Any) -> str:
    """Return the text that a phone reads: the base and /i/ as they are, the token in capitals."""
    return f"{settings.PUBLIC_BASE_URL}/i/{invitation.token.upper()}"

"""Secrets of webhook endpoints, stored encrypted, and the signatures made with them.

The standard: https://github.com/standard-webhooks/standard-webhooks
"""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from standardwebhooks import Webhook

from integration.models import WebhookEndpoint

PREFIX = "whsec_"
_BYTES = 32


class SecretUnreadable(Exception):
    """The secret was encrypted with a SECRET_KEY that is no longer known."""


def new_secret() -> str:
    """Return a secret in the form that the standard gives it."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def seal(secret: str) -> str:
    """Return the secret encrypted, as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def signature_headers(
    endpoint: WebhookEndpoint, *, message_id: str, body: str, now: datetime
) -> dict[str, str]:
    """Return the three headers; during a rotation with two signatures. Raises SecretUnreadable."""
    sealed = [endpoint.sealed_secret]
    if endpoint.former_secret_ends_at is not None and now < endpoint.former_secret_ends_at:
        sealed.append(endpoint.sealed_former_secret)
    signatures = [Webhook(_unseal(text)).sign(message_id, now, body) for text in sealed]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _unseal(sealed: str) -> str:
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable from error


def _box() -> MultiFernet:
    """Encrypt with SECRET_KEY; read what an earlier one of SECRET_KEY_FALLBACKS encrypted too."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(b"integration.signatures\0" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(urlsafe_b64encode(digest)) for digest in digests])

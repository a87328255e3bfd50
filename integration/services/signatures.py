"""Secrets of webhook endpoints, stored encrypted, and the signatures made with them.

The standard: https://github.com/standard-webhooks/standard-webhooks
"""

import secrets
from base64 import b64encode
from datetime import datetime

from standardwebhooks import Webhook

from integration.models import WebhookEndpoint
from integration.services.sealing import unseal

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """Return a secret in the form that the standard gives it."""
    return PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def signature_headers(
    endpoint: WebhookEndpoint, *, message_id: str, body: str, now: datetime
) -> dict[str, str]:
    """Return the three headers; during a rotation with two signatures. Raises SealedUnreadable."""
    sealed = [endpoint.sealed_secret]
    if endpoint.former_secret_ends_at is not None and now < endpoint.former_secret_ends_at:
        sealed.append(endpoint.sealed_former_secret)
    signatures = [Webhook(unseal(text)).sign(message_id, now, body) for text in sealed]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }

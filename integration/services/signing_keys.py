"""Which keys and algorithms of issuers are believed, for tokens of the API and of a log-in."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

ALGORITHMS = ("RS256", "ES256", "EdDSA")
_PUBLIC = (RSAPublicKey, EllipticCurvePublicKey, Ed25519PublicKey, Ed448PublicKey)
_SMALLEST_RSA = 2048


def usable_key(row: dict[str, Any], algorithm: str | None = None) -> PyJWK | None:
    """Return the key if it is public and long enough to be believed, else None.

    A private key in the document is known to everybody, and it verifies nothing.
    """
    try:
        key = PyJWK(row, algorithm=algorithm)
    except (PyJWTError, KeyError, TypeError, ValueError):
        return None
    is_short = isinstance(key.key, RSAPublicKey) and key.key.key_size < _SMALLEST_RSA
    return key if isinstance(key.key, _PUBLIC) and not is_short else None

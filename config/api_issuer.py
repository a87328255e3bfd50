"""The settings that name the issuer of JWTs for the API."""

from typing import Any
from urllib.parse import urlsplit

from config.logs import refuse_to_start

LONGEST_ISSUER = 200


def read_api_issuer(env: Any, *, allow_http: bool) -> tuple[str, str]:
    """Return issuer and audience, both or none; with anything else nothing starts."""
    issuer = env.str("API_JWT_ISSUER", default="")
    audience = env.str("API_JWT_AUDIENCE", default="")
    if bool(issuer) != bool(audience):
        refuse_to_start("API_JWT_ISSUER and API_JWT_AUDIENCE are set both, or none of them.")
    if issuer and not _is_issuer(issuer, {"https", "http"} if allow_http else {"https"}):
        refuse_to_start(
            "API_JWT_ISSUER must be an address of at most 200 characters that begins with https://"
            " (http:// is for the demo only), without a name, a query or a fragment."
        )
    return issuer, audience


def _is_issuer(text: str, schemes: set[str]) -> bool:
    try:
        parts = urlsplit(text)
        has_good_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    is_whole = parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc
    return (
        is_plain
        and is_whole
        and has_good_port
        and not {"?", "#"} & set(text)
        and len(text) <= LONGEST_ISSUER
    )

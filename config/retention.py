"""How long personal data is kept, read from the environment; docs/retention.md says why."""

import sys
from datetime import timedelta

import environ

# Days by default, and the fewest days that leave alone what is still in use.
_DAYS = {
    "SESSIONS": (1, 1),
    "FORM_KEYS": (7, 1),
    "CODES": (7, 2),
    "EMAILS": (90, 7),
    "DRAFTS": (7, 1),
    "ATTEMPTS": (90, 9),
    "INVITATIONS": (365, 30),
    "NETWORK_ADDRESSES": (365, 30),
}


def read_retention(env: environ.Env) -> dict[str, timedelta]:
    """Return how long each kind of data is kept, from RETENTION_DAYS_… of the environment."""
    return {kind: timedelta(days=_days(env, kind)) for kind in _DAYS}


def _days(env: environ.Env, kind: str) -> int:
    default, least = _DAYS[kind]
    name = f"RETENTION_DAYS_{kind}"
    text = env.str(name, default="") or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= 36_500:
        sys.exit(f"{name}={text} is not a number of days from {least} to 36500.")
    return int(text)

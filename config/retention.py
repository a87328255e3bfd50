"""How long data is kept, and which functions delete or shorten it; see docs/retention.md."""

from datetime import timedelta

import environ

from config.logs import refuse_to_start

# Days by default, and the fewest days that leave alone what is still in use.
_DAYS = {
    "SESSIONS": (1, 1),
    "FORM_KEYS": (7, 1),
    "IDEMPOTENT_ANSWERS": (7, 1),
    "CODES": (7, 2),
    "EMAILS": (90, 7),
    "EVENTS": (90, 7),
    "WEBHOOK_DELIVERIES": (30, 1),
    "DRAFTS": (7, 1),
    "ATTEMPTS": (90, 9),
    "INVITATIONS": (365, 30),
    "NETWORK_ADDRESSES": (365, 30),
}

RETENTION_JOBS = [
    "web.retention.delete_expired_sessions",
    "web.retention.delete_old_form_keys",
    "accounts.services.retention.delete_old_codes",
    "outbox.services.retention.forget_recipients",
    "outbox.services.retention.delete_old_events",
    "partners.services.retention.discard_old_drafts",
    "partners.services.retention.forget_bulk_actions",
    "partners.services.retention.forget_invited_people",
    "partners.services.retention.forget_listed_people",
    "partners.services.retention.forget_asking_people",
    "partners.services.retention.forget_invited_members",
    "association.services.retention.delete_abandoned_attempts",
    "association.services.retention.forget_names_of_former_customers",
    "association.services.retention.forget_addresses_of_attempts",
    "association.services.retention.shorten_addresses_of_consents",
    "audit.retention.shorten_addresses_of_events",
    "integration.services.answers.delete_old_answers",
    "integration.services.webhook_queue.delete_old_deliveries",
]


def read_retention(env: environ.Env) -> dict[str, timedelta]:
    """Return how long each kind of data is kept, from RETENTION_DAYS_… of the environment."""
    return {kind: timedelta(days=_days(env, kind)) for kind in _DAYS}


def _days(env: environ.Env, kind: str) -> int:
    default, least = _DAYS[kind]
    name = f"RETENTION_DAYS_{kind}"
    text = env.str(name, default="") or str(default)
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= 36_500:
        refuse_to_start(f"{name}={text} is not a number of days from {least} to 36500.")
    return int(text)

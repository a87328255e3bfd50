"""The choices and codes of integration: scopes of keys, and problems of calls."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Scope(TextChoices):
    """What a key may do; the label says it to the administrator who makes the key.

    A change is answered with what it changed: who may write reads that too.
    """

    INVITATIONS_READ = "invitations:read", _("Read invitations and requests for them")
    INVITATIONS_WRITE = "invitations:write", _("Make, change, send and revoke invitations")
    CUSTOMERS_READ = "customers:read", _("Read customers, with their addresses")
    CUSTOMERS_WRITE = (
        "customers:write",
        _("Rename customers, request authorizations, ask to end and answer such requests"),
    )
    BUDGETS_WRITE = "budgets:write", _("Set budgets, freeze and unfreeze")
    ELIGIBILITY_READ = "eligibility:read", _("Check whether an account may join")
    EVENTS_READ = "events:read", _("Read events")


class KeyRefusal(StrEnum):
    """Why a key cannot be made or revoked."""

    TOO_MANY_KEYS = "too_many_keys"
    LIFE_TOO_LONG = "key_life_too_long"


class CallProblem(StrEnum):
    """What is wrong with a call itself, before a service is asked."""

    KEY_MISSING = "key_missing"
    KEY_UNKNOWN = "key_unknown"
    KEY_IN_ADDRESS = "key_in_address"
    SCOPE_MISSING = "scope_missing"
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TOO_LARGE = "too_large"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    BODY_NOT_JSON = "body_not_json"
    BODY_NOT_EXPECTED = "body_not_expected"
    CONTENT_TYPE_NOT_JSON = "content_type_not_json"
    FIELDS_INVALID = "fields_invalid"
    CURSOR_UNKNOWN = "cursor_unknown"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    IDEMPOTENCY_KEY_USED = "idempotency_key_used"

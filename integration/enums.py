"""The choices and codes of integration: scopes of keys, and problems of calls."""

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import TextChoices
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


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
    WEBHOOKS_WRITE = "webhooks:write", _("Make and change webhook endpoints")


class ProviderScope(TextChoices):
    """What a program of the provider may do; the prefix keeps these apart from a partner's."""

    PARTNERS_READ = "provider:partners:read", _("Read partners")
    PARTNERS_WRITE = "provider:partners:write", _("Add, change, freeze and unfreeze partners")
    ACCOUNTS_READ = "provider:accounts:read", _("Read customer accounts")
    ACCOUNTS_WRITE = "provider:accounts:write", _("Add and change customer accounts")
    FACTS_WRITE = "provider:facts:write", _("Report facts about accounts")
    SPENDING_WRITE = "provider:spending:write", _("Report spending")
    ELIGIBILITY_READ = (
        "provider:eligibility:read",
        _("Check whether any account may join, with the facts"),
    )
    PERMISSIONS_READ = "provider:permissions:read", _("Ask what an account may do now")
    ASSOCIATIONS_READ = "provider:associations:read", _("Read associations")
    ASSOCIATIONS_WRITE = "provider:associations:write", _("End associations")
    EVENTS_READ = "provider:events:read", _("Read the events of all partners")


# Of all scopes: a key's are stored as codes.
_LABELS = dict([*Scope.choices, *ProviderScope.choices])


def in_words(scope: str) -> "StrOrPromise":
    """Return what a scope allows, and its code, which documents and refused calls name."""
    return format_lazy("{label} ({scope})", label=_LABELS[scope], scope=scope)


class DisabledReason(TextChoices):
    """Why nothing is sent to an endpoint."""

    TURNED_OFF = "turned_off", _("turned off")
    GONE = "gone", _("it answered 410 (gone)")
    FAILING = "failing", _("it failed for three days")


class DeliveryStatus(TextChoices):
    """What came of one try to deliver an event."""

    WAITING = "waiting", _("waiting")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class DeliveryError(TextChoices):
    """Why a try failed."""

    STATUS = "status", _("an answer other than 2xx")
    REDIRECT = "redirect", _("a redirect, which is not followed")
    GONE = "gone", _("410 (gone)")
    TIMEOUT = "timeout", _("no answer in time")
    UNKNOWN_HOST = "unknown_host", _("the host has no address")
    ADDRESS_REFUSED = "address_refused", _("the address is not public")
    NO_CONNECTION = "no_connection", _("no connection")
    CERTIFICATE = "certificate", _("the certificate is not valid for the host")
    NOT_HTTP = "not_http", _("an answer that is not HTTP")
    INTERNAL = "internal", _("an error of ours")
    SECRET_UNREADABLE = "secret_unreadable", _("the secret cannot be read; rotate it")


class UrlRefusal(StrEnum):
    """Why no webhook is sent to a URL."""

    MALFORMED = "url_malformed"
    NOT_HTTPS = "url_not_https"
    HOST_NOT_PUBLIC = "url_host_not_public"
    PORT_REFUSED = "url_port_refused"


class EndpointRefusal(StrEnum):
    """Why an endpoint cannot be made or changed."""

    TOO_MANY_ENDPOINTS = "too_many_endpoints"
    NO_LONGER_THERE = "endpoint_deleted"
    EVENT_GONE = "event_no_longer_kept"
    TOO_MANY_WAITING = "too_many_deliveries_wait"


class FlowPurpose(StrEnum):
    """Why somebody is sent to an issuer."""

    LOG_IN = "log_in"
    REGISTER = "register"
    SECOND_FACTOR = "second_factor"
    CONNECT = "connect"


class LogInProblem(StrEnum):
    """Why a log-in at an issuer does not log anybody in here."""

    # What this browser was doing is not known: used, expired, or begun in another browser.
    FLOW_UNKNOWN = "issuer_flow_unknown"
    CANCELLED = "issuer_log_in_cancelled"
    ISSUER_REFUSED = "issuer_refused"
    ISSUER_UNAVAILABLE = "log_in_issuer_unavailable"
    ANSWER_WRONG = "issuer_answer_wrong"
    ADDRESS_NOT_PROVEN = "issuer_address_not_proven"
    NO_ACCOUNT = "issuer_user_unknown"
    # A log-in is connected only within ten minutes after the log-in here.
    LOG_IN_OLD = "issuer_log_in_old"


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
    KEY_OF_OTHER_SIDE = "key_of_other_side"
    JWT_REJECTED = "jwt_rejected"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    NOT_FOUND = "not_found"
    UNREADABLE = "unreadable"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    LENGTH_REQUIRED = "length_required"
    TOO_LARGE = "too_large"
    CODING_REFUSED = "coding_refused"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    BODY_NOT_JSON = "body_not_json"
    BODY_NOT_EXPECTED = "body_not_expected"
    CONTENT_TYPE_NOT_JSON = "content_type_not_json"
    CONTENT_TYPE_NOT_BATCH = "content_type_not_batch"
    FIELDS_INVALID = "fields_invalid"
    CURSOR_UNKNOWN = "cursor_unknown"
    IDEMPOTENCY_KEY_INVALID = "idempotency_key_invalid"
    IDEMPOTENCY_KEY_USED = "idempotency_key_used"

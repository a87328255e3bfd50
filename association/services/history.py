"""A partner's history: searching and filtering attempts, their outcome and last step."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.utils.timezone import make_aware

from accounts.models import CustomerAccount, User
from association.enums import AssociationRefusal, CountedMoment, LastStep, Outcome
from association.models import Association, Attempt
from association.models.attempts import AttemptQuerySet
from audit.services import record_audit_event
from partners.enums import AssociationType
from partners.models import PartnerMember
from partners.services.pages import Order
from partners.services.parts import part_of, part_of_address
from web.email_addresses import InvalidAddress, canonical_address
from web.refused import Refused

NEWEST_FIRST = Order("started_at")
# Among so many of the latest attempts a part of a name is looked for.
LATEST_SEARCHED = 1_000
_NAMES = (
    *("invitation__customer_name", "invitation__recipient_name"),
    *("account__name", "account__owner__account_name"),
)
_ADDRESSES = ("account__owner__email", "registration_email")

# With EXISTS instead of an outer join PostgreSQL estimates the number of rows well.
_DONE = Q(Exists(Association.objects.filter(attempt=OuterRef("pk"))))
_PASSED = ~_DONE & Q(account__isnull=False, refused_at__isnull=True)
_ANONYMOUS = Q(account__isnull=True, registration_email="")
_MUST_READ = Q(
    association_type=AssociationType.RESELLER,
    instructions_agreed_at__isnull=True,
    is_restarted=False,
)

# The rules of `last_step()` and `outcome()` as conditions: each attempt meets exactly one.
STEPS: Mapping[str, Q] = {
    LastStep.INSTRUCTIONS: _ANONYMOUS & _MUST_READ,
    LastStep.ACCOUNT: _ANONYMOUS & ~_MUST_READ,
    LastStep.REGISTER: Q(account__isnull=True) & ~Q(registration_email=""),
    LastStep.CHECK: Q(refused_at__isnull=False),
    LastStep.FINISH: _PASSED & Q(deferred_at__isnull=True),
    LastStep.PUT_OFF: _PASSED & Q(deferred_at__isnull=False),
    LastStep.DONE: _DONE,
}
OUTCOMES: Mapping[str, Q] = {
    Outcome.ASSOCIATED: _DONE,
    Outcome.REFUSED: Q(refused_at__isnull=False),
    Outcome.UNDER_WAY: ~_DONE & Q(refused_at__isnull=True),
}


def outcome(attempt: Attempt) -> Outcome:
    """Return the attempt's outcome; its association must be loaded."""
    if hasattr(attempt, "association"):
        return Outcome.ASSOCIATED
    return Outcome.UNDER_WAY if attempt.refused_at is None else Outcome.REFUSED


def last_step(attempt: Attempt) -> LastStep:
    """Return the last step that was reached; association and invitation must be loaded."""
    if hasattr(attempt, "association"):
        return LastStep.DONE
    if attempt.account_id is None:
        if attempt.registration_email:
            return LastStep.REGISTER
        has_read = attempt.is_restarted or attempt.instructions_agreed_at is not None
        must_read = attempt.invitation.is_reseller and not has_read
        return LastStep.INSTRUCTIONS if must_read else LastStep.ACCOUNT
    if attempt.refused_at is not None:
        return LastStep.CHECK
    return LastStep.FINISH if attempt.deferred_at is None else LastStep.PUT_OFF


def find_attempts(*, member: PartnerMember, filters: Mapping[str, Any]) -> QuerySet[Attempt]:
    """Return the attempts that the member may see and that match, joined with all that is shown.

    `filters` are those of HistoryForm: q, outcome, step, refusal, channel, association_type,
    account (registered by the attempt), invitation, batch, and the days since and until in the
    partner's time zone: of the start, or of what `moment` names. No order is set.
    """
    rows = member.partner.attempts.visible_to(member)
    for name, condition in _CONDITIONS.items():
        if name in filters:
            rows = rows.filter(condition(filters[name], member))
    rows = rows.filter(_in_days(filters, member))
    if "refusal" in filters:
        rows = _refused_by(filters["refusal"], rows, member)
    return rows.select_related("account__owner", "invitation", "association")


def find_lately(*, member: PartnerMember, text: str) -> QuerySet[Attempt]:
    """Return who tried to join, and has not, with the text as a part of a name or an address.

    Only the latest attempts are searched (LATEST_SEARCHED): the names are those of accounts and
    invitations, so no index finds a part of one among a million attempts. A member who may not
    read addresses finds whole ones only. No order is set.
    """
    latest = member.partner.attempts.visible_to(member).order_by("-started_at", "-pk")
    found = part_of(_NAMES, text, ignores_case=True)
    for column in _ADDRESSES if member.may_reveal_addresses else ():
        found |= part_of_address(column, text, ignores_case=True)
    if not member.may_reveal_addresses and "@" in text:
        found |= _searched(text, member)
    rows = Attempt.objects.filter(pk__in=latest.values("pk")[:LATEST_SEARCHED]).filter(found)
    return rows.exclude(_DONE).select_related("account__owner", "invitation", "association")


def _refused_by(code: str, rows: AttemptQuerySet, member: PartnerMember) -> AttemptQuerySet:
    """Filter by the index on the codes on PostgreSQL, by their text on SQLite.

    By their text for a manager, too: PostgreSQL underestimates how many have a frequent code, and
    would read all of them from that index beside the manager's few attempts.
    """
    refused = rows.filter(refused_at__isnull=False)
    has_index = connections[rows.db].features.supports_json_field_contains
    if has_index and member.is_administrator:
        return refused.filter(refusal_codes__contains=[code])
    place = StrIndex(Cast("refusal_codes", TextField()), Value(f'"{code}"'))
    return refused.alias(place=place).filter(place__gt=0)


def known_address(attempt: Attempt) -> str:
    """Return the account's address, else the one being registered, else an empty text."""
    if attempt.account is not None:
        return attempt.account.owner.email
    return attempt.registration_email


def reveal_address(*, attempt: Attempt, by: User, now: datetime) -> str:
    """Return the whole address; its audit event has none. Raises Refused: ADDRESS_UNKNOWN."""
    address = known_address(attempt)
    if not address:
        raise Refused(AssociationRefusal.ADDRESS_UNKNOWN)
    record_audit_event(action="attempt.address_revealed", about=attempt, by=by, now=now)
    return address


def _searched(text: str, _member: PartnerMember) -> Q:
    """Match a whole address, of the account or being registered, or a beginning of the name."""
    typed = text.strip().lower()
    if "@" not in typed:
        return Q(account__owner__account_name__startswith=typed)
    try:
        address = canonical_address(typed)
    except InvalidAddress:
        return Q(pk__in=[])
    account = CustomerAccount.objects.filter(owner__email=address).values("pk")[:1]
    return Q(account=Subquery(account)) | Q(registration_email=address)


def midnight(day: date, member: PartnerMember) -> datetime:
    """Return when the day begins in the partner's time zone."""
    return make_aware(datetime.combine(day, time.min), member.partner.zone)


def _in_days(filters: Mapping[str, Any], member: PartnerMember) -> Q:
    """Match what happened in the days since and until.

    Without both, everything that has the moment which was asked for.
    """
    span: dict[str, datetime | bool] = {}
    if "since" in filters:
        span["gte"] = midnight(filters["since"], member)
    if "until" in filters:
        span["lt"] = midnight(filters["until"] + timedelta(days=1), member)
    moment = filters.get("moment", CountedMoment.STARTED)
    if not span and "moment" in filters:
        span["isnull"] = False
    return Q(**{f"{moment}_at__{limit}": at for limit, at in span.items()})


_CONDITIONS: Mapping[str, Callable[[Any, PartnerMember], Q]] = {
    "q": _searched,
    "outcome": lambda value, _member: OUTCOMES[value],
    "step": lambda value, _member: STEPS[value],
    "account": lambda _value, _member: Q(registered_at__isnull=False),
    "channel": lambda value, _member: Q(channel=value),
    "association_type": lambda value, _member: Q(association_type=value),
    "invitation": lambda value, _member: Q(invitation=value),
    "batch": lambda value, _member: Q(invitation__batch=value),
}

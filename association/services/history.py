"""A partner's history: which attempts were asked for, how far each came, and whose it is."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextChoices, TextField, Value
from django.db.models.functions import Cast, StrIndex
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from accounts.addresses import InvalidAddress, canonical_address
from accounts.models import CustomerAccount, User
from accounts.services.audit import record_event
from association.models import Association, Attempt
from association.models.attempts import AttemptQuerySet
from partners.models import AssociationType, PartnerMember
from partners.services.pages import Order, page_of

NEWEST_FIRST = Order("started_at")
# How many rows an export reads at a time.
CHUNK = 1_000


class Outcome(TextChoices):
    """What came of an attempt so far."""

    ASSOCIATED = "associated", _("Associated")
    REFUSED = "refused", _("Refused")
    UNDER_WAY = "under_way", _("Under way")


class LastStep(TextChoices):
    """Where a visitor stands on the way, as the partner reads it."""

    INSTRUCTIONS = "instructions", _("Reads the instructions")
    ACCOUNT = "account", _("Chooses an account")
    REGISTER = "register", _("Registers")
    CHECK = "check", _("Refused at the check")
    FINISH = "finish", _("Enables or confirms")
    PUT_OFF = "put_off", _("Put off until later")
    DONE = "done", _("Done")


class AddressUnknown(Exception):
    """The visitor has neither an account nor named an address yet."""

    code = "address_unknown"


# Asked so, and not by a join that finds nothing, PostgreSQL knows how many rows to expect.
_DONE = Q(Exists(Association.objects.filter(attempt=OuterRef("pk"))))
_PASSED = ~_DONE & Q(account__isnull=False, refused_at__isnull=True)
_ANONYMOUS = Q(account__isnull=True, registration_email="")
_MUST_READ = Q(
    invitation__association_type=AssociationType.RESELLER, instructions_agreed_at__isnull=True
)

# The same rules as `last_step()` and `outcome()`, as rows: each attempt is in exactly one set.
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
    """Return what came of it; the attempt's association must be loaded."""
    if hasattr(attempt, "association"):
        return Outcome.ASSOCIATED
    return Outcome.UNDER_WAY if attempt.refused_at is None else Outcome.REFUSED


def last_step(attempt: Attempt) -> LastStep:
    """Return where the visitor stands; association and invitation must be loaded."""
    if hasattr(attempt, "association"):
        return LastStep.DONE
    if attempt.account_id is None:
        if attempt.registration_email:
            return LastStep.REGISTER
        must_read = attempt.invitation.is_reseller and attempt.instructions_agreed_at is None
        return LastStep.INSTRUCTIONS if must_read else LastStep.ACCOUNT
    if attempt.refused_at is not None:
        return LastStep.CHECK
    return LastStep.FINISH if attempt.deferred_at is None else LastStep.PUT_OFF


def attempts_for(*, member: PartnerMember, wishes: Mapping[str, Any]) -> QuerySet[Attempt]:
    """Return the attempts that the member may see and asks for, with all that a row shows.

    `wishes` are those of the list's form: q, outcome, step, refusal, channel, association_type,
    invitation, and the days since and until in the partner's time zone. No order is set.
    """
    rows = member.partner.attempts.visible_to(member)
    for name, condition in _CONDITIONS.items():
        if name in wishes:
            rows = rows.filter(condition(wishes[name], member))
    if "refusal" in wishes:
        rows = _refused_by(wishes["refusal"], rows)
    return rows.select_related("account__owner", "invitation", "association")


def _refused_by(code: str, rows: AttemptQuerySet) -> AttemptQuerySet:
    """PostgreSQL has an index of the codes, and knows which are rare; SQLite reads the text."""
    refused = rows.filter(refused_at__isnull=False)
    if connections[rows.db].features.supports_json_field_contains:
        return refused.filter(refusal_codes__contains=[code])
    place = StrIndex(Cast("refusal_codes", TextField()), Value(f'"{code}"'))
    return refused.alias(place=place).filter(place__gt=0)


def in_chunks(rows: "QuerySet[Attempt]") -> Iterator[Attempt]:
    """Yield every row, newest first, a chunk for each statement: as flat as it is long."""
    after = ""
    while True:
        page = page_of(rows, order=NEWEST_FIRST, after=after, size=CHUNK)
        yield from page.rows
        after = page.after
        if not after:
            return


def address_of(attempt: Attempt) -> str:
    """Return the account's address, else the one that is being proven, else nothing."""
    if attempt.account is not None:
        return attempt.account.owner.email
    return attempt.registration_email


def reveal_address(*, attempt: Attempt, by: User, now: datetime) -> str:
    """Return the whole address and write `attempt.address_revealed`, without the address.

    Raises AddressUnknown.
    """
    address = address_of(attempt)
    if not address:
        raise AddressUnknown
    record_event(action="attempt.address_revealed", about=attempt, by=by, now=now)
    return address


def _searched(text: str, _member: PartnerMember) -> Q:
    """A whole address, of the account or being proven; otherwise how an account name begins."""
    typed = text.strip().lower()
    if "@" not in typed:
        return Q(account__owner__account_name__startswith=typed)
    try:
        address = canonical_address(typed)
    except InvalidAddress:
        return Q(pk__in=[])
    account = CustomerAccount.objects.filter(owner__email=address).values("pk")[:1]
    return Q(account=Subquery(account)) | Q(registration_email=address)


def _since(day: date, member: PartnerMember) -> Q:
    return Q(started_at__gte=_midnight(day, member))


def _until(day: date, member: PartnerMember) -> Q:
    return Q(started_at__lt=_midnight(day + timedelta(days=1), member))


def _midnight(day: date, member: PartnerMember) -> datetime:
    return make_aware(datetime.combine(day, time.min), member.partner.zone)


_CONDITIONS: Mapping[str, Callable[[Any, PartnerMember], Q]] = {
    "q": _searched,
    "outcome": lambda value, _member: OUTCOMES[value],
    "step": lambda value, _member: STEPS[value],
    "channel": lambda value, _member: Q(invitation__channel=value),
    "association_type": lambda value, _member: Q(invitation__association_type=value),
    "invitation": lambda value, _member: Q(invitation=value),
    "since": _since,
    "until": _until,
}

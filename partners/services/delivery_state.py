"""How the e-mails of invitations were delivered, read from the outbox."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Substr

from outbox.models import OutboxMessage
from outbox.services.queue import DEADLINE_PASSED
from partners.enums import DeliveryState
from partners.models import Invitation, InvitationBatch, Partner
from partners.services.quotas import EMAIL_KIND
from partners.services.unsubscribe_links import unsubscribed_recipients

MOST_DEAD = 1_000
# The e-mail will never arrive.
UNDELIVERED = frozenset({DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.LATE})
_REPLY_CODE = re.compile(r"[245]\d\d\b")


@dataclass(frozen=True, slots=True)
class Delivery:
    """The state, since when, the mail server's three digits or "", and when it is tried again."""

    state: DeliveryState
    at: datetime
    code: str = ""
    next_try_at: datetime | None = None


def deliveries_of(invitations: Collection[Invitation]) -> Mapping[int, Delivery]:
    """Return the newest e-mail's delivery by the key of each invitation that has one.

    Where the recipient has unsubscribed, the state is UNSUBSCRIBED, also if an e-mail was sent.
    The invitations are one partner's; two statements.
    """
    emails = OutboxMessage.objects.filter(
        about_label=Invitation._meta.label_lower,
        about_id__in=[str(invitation.pk) for invitation in invitations],
        kind=EMAIL_KIND,
    )
    found = {int(email.about_id): _delivery_of(email) for email in emails.order_by("pk")}
    unsubscribed = unsubscribed_recipients(invitations)
    return found | {
        key: Delivery(DeliveryState.UNSUBSCRIBED, at) for key, at in unsubscribed.items()
    }


def troubles_of(invitations: Collection[Invitation], now: datetime) -> Mapping[int, Delivery]:
    """Return the delivery by the key of each live invitation whose newest e-mail is dead.

    Two statements, none without such an invitation. The partner must be loaded.
    """
    undelivered = [
        row for row in invitations if row.undelivered_at is not None and row.refusal(now) is None
    ]
    return deliveries_of(undelivered) if undelivered else {}


def keep_undelivered(*, message: OutboxMessage) -> None:
    """Keep on the invitation since when its newest e-mail is dead.

    The outbox calls it in the transaction that changes whether the message is dead. Locks the
    invitation, so that an e-mail sent again meanwhile is the newest.
    """
    if message.about_label != Invitation._meta.label_lower or not message.about_id.isdecimal():
        return
    invitation = _lock(int(message.about_id))
    if invitation is not None:
        newest = _newest_email(invitation)
        invitation.undelivered_at = newest.dead_at if newest else None
        invitation.save(update_fields=["undelivered_at"])


def _lock(key: int) -> Invitation | None:
    return Invitation.objects.select_for_update().filter(pk=key).first()


def _newest_email(invitation: Invitation) -> OutboxMessage | None:
    emails = OutboxMessage.objects.filter(
        about_label=Invitation._meta.label_lower, about_id=str(invitation.pk), kind=EMAIL_KIND
    )
    return emails.order_by("-pk").first()


@dataclass(frozen=True, slots=True)
class DeliveryCount:
    """How many of a batch have this delivery; `code` is the mail server's, or ""."""

    state: DeliveryState
    code: str
    number: int


def count_deliveries(batch: InvitationBatch) -> list[DeliveryCount]:
    """Count the newest e-mails of the batch's invitations by `Delivery.state`; one statement."""
    found = _newest_of(batch).values_list("state", "code").annotate(number=Count("pk"))
    counts = [DeliveryCount(*_state_and_code(*row[:2]), row[2]) for row in found.order_by()]
    return _merged(counts)


def undelivered_of(batch: InvitationBatch) -> Iterator[tuple[Invitation, DeliveryState, str]]:
    """Yield the invitations whose newest e-mail will never arrive, each with the reason."""
    failed = _newest_of(batch).filter(Q(dead_at__isnull=False) | Q(drop_reason=DEADLINE_PASSED))
    found = {
        int(key): _state_and_code(state, code)
        for key, state, code in failed.values_list("about_id", "state", "code")
    }
    rows = batch.invitations.select_related("partner").filter(pk__in=found)
    for invitation in rows.order_by("created_at", "pk"):
        yield invitation, *found[invitation.pk]


def _newest_of(batch: InvitationBatch) -> QuerySet[Any]:
    """Return the newest e-mail of each invitation, by the rules of `_delivery_of()`."""
    emails = OutboxMessage.objects.filter(about_label=Invitation._meta.label_lower, kind=EMAIL_KIND)
    keys = batch.invitations.annotate(key=Cast("pk", TextField())).values("key")
    newer = emails.filter(about_id=OuterRef("about_id"), pk__gt=OuterRef("pk"))
    state = Case(
        When(sent_at__isnull=False, then=Value(DeliveryState.SENT)),
        When(drop_reason=DEADLINE_PASSED, then=Value(DeliveryState.LATE)),
        When(dropped_at__isnull=False, then=Value(DeliveryState.DROPPED)),
        When(dead_at__isnull=False, then=Value(DeliveryState.REFUSED)),
        When(last_error="", then=Value(DeliveryState.ON_ITS_WAY)),
        default=Value(DeliveryState.RETRIED),
        output_field=CharField(),
    )
    code = Case(
        When(sent_at__isnull=True, dropped_at__isnull=True, then=Substr(F("last_error"), 1, 4)),
        default=Value(""),
        output_field=CharField(),
    )
    rows = emails.filter(~Exists(newer), about_id__in=keys)
    return rows.annotate(state=state, code=code)


def _state_and_code(state: str, error: str) -> tuple[DeliveryState, str]:
    """Return the state by the beginning of the error; without a code nothing was refused."""
    answered = _REPLY_CODE.match(error)
    code = answered[0] if answered else ""
    if state == DeliveryState.REFUSED and not code:
        return DeliveryState.FAILED, ""
    return DeliveryState(state), code


def _merged(counts: Collection[DeliveryCount]) -> list[DeliveryCount]:
    """Add up what differed only in the words of the error; the most frequent first."""
    numbers: dict[tuple[DeliveryState, str], int] = {}
    for count in counts:
        key = (count.state, count.code)
        numbers[key] = numbers.get(key, 0) + count.number
    merged = [DeliveryCount(*key, number) for key, number in numbers.items()]
    return sorted(merged, key=lambda count: (-count.number, count.state, count.code))


def count_undelivered(*, partner: Partner, since: datetime) -> int:
    """Return how many of the partner's invitations had an e-mail that died since then.

    Of all partners' newest thousand: two statements.
    """
    label = Invitation._meta.label_lower
    dead = OutboxMessage.objects.filter(about_label=label, kind=EMAIL_KIND, dead_at__gte=since)
    keys = dead.order_by("-dead_at").values_list("about_id", flat=True)[:MOST_DEAD]
    return partner.invitations.filter(pk__in=[int(key) for key in keys]).count()


def _delivery_of(email: OutboxMessage) -> Delivery:
    if email.sent_at is not None:
        return Delivery(DeliveryState.SENT, email.sent_at)
    if email.dropped_at is not None:
        # It has a sentence of its own; with every other reason the e-mail was no longer needed.
        late = email.drop_reason == DEADLINE_PASSED
        return Delivery(DeliveryState.LATE if late else DeliveryState.DROPPED, email.dropped_at)
    answered = _REPLY_CODE.match(email.last_error)
    code = answered[0] if answered else ""
    if email.dead_at is not None:
        return Delivery(
            DeliveryState.REFUSED if code else DeliveryState.FAILED, email.dead_at, code
        )
    if email.last_error:
        return Delivery(DeliveryState.RETRIED, email.created_at, code, email.next_try_at)
    return Delivery(DeliveryState.ON_ITS_WAY, email.created_at)

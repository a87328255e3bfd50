"""How the e-mails of invitations were delivered, read from the outbox."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from outbox.models import DEADLINE_PASSED, OutboxMessage, OutboxQuerySet
from partners.enums import DeliveryState, EventKind
from partners.models import Invitation, InvitationBatch
from partners.services.invitation_events import publish_invitations
from partners.services.quotas import EMAIL_KIND
from partners.services.unsubscribe_links import unsubscribed_recipients

# The e-mail will never arrive although it should.
UNDELIVERED = frozenset({DeliveryState.REFUSED, DeliveryState.FAILED, DeliveryState.LATE})
# What `_delivery_of()` reads.
DELIVERY_FIELDS = (
    *("created_at", "next_try_at", "last_error"),
    *("sent_at", "dropped_at", "drop_reason", "dead_at"),
)
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
    emails = _emails().filter(about_id__in=[str(invitation.pk) for invitation in invitations])
    found = {int(email.about_id): _delivery_of(email) for email in emails.order_by("pk")}
    unsubscribed = unsubscribed_recipients(invitations)
    return found | {
        key: Delivery(DeliveryState.UNSUBSCRIBED, at) for key, at in unsubscribed.items()
    }


def undelivered_of(invitations: Collection[Invitation], now: datetime) -> Mapping[int, Delivery]:
    """Return the delivery by the key of each invitation that is undelivered.

    Two statements, none without such an invitation. The partner must be loaded.
    """
    undelivered = [row for row in invitations if row.is_undelivered(now)]
    return deliveries_of(undelivered) if undelivered else {}


def keep_undelivered(*, message: OutboxMessage) -> None:
    """Keep on the invitation since when its newest e-mail will never arrive, and publish it.

    The outbox calls it in the transaction that changes whether the message will. Locks the
    invitation, so that an e-mail sent again meanwhile is the newest.
    """
    if message.about_label != Invitation._meta.label_lower or not message.about_id.isdecimal():
        return
    invitation = _lock(int(message.about_id))
    if invitation is not None:
        newest, before = _newest_email(invitation), invitation.undelivered_at
        failed_at = newest.undelivered_at if newest else None
        invitation.undelivered_at = failed_at
        invitation.save(update_fields=["undelivered_at"])
        if failed_at is not None and failed_at != before:
            publish_invitations(
                kind=EventKind.INVITATION_DELIVERY_FAILED, invitations=[invitation], now=failed_at
            )


def _lock(key: int) -> Invitation | None:
    return Invitation.objects.select_for_update().filter(pk=key).first()


def _newest_email(invitation: Invitation) -> OutboxMessage | None:
    return _emails().filter(about_id=str(invitation.pk)).order_by("-pk").first()


def count_deliveries(deliveries: Iterable[Delivery]) -> list[tuple[DeliveryState, str, int]]:
    """Return how many have each state and code of the mail server, the most frequent first."""
    numbers = Counter((delivery.state, delivery.code) for delivery in deliveries)
    return [(state, code, number) for (state, code), number in numbers.most_common()]


def deliveries_of_batch(batch: InvitationBatch) -> Mapping[int, Delivery]:
    """Return the newest e-mail's delivery by the key of each invitation of a mailed batch.

    Two statements. A batch has up to 5,000 e-mails, so the rows are no models.
    """
    keys = [str(key) for key in batch.invitations.values_list("pk", flat=True)]
    # By key and not by a sub-select, for which PostgreSQL reads the whole outbox.
    emails = _emails().filter(about_id__in=keys).order_by("pk")
    rows = emails.values_list("about_id", *DELIVERY_FIELDS, named=True)
    return {int(row.about_id): _delivery_of(row) for row in rows}


def _emails() -> OutboxQuerySet:
    return OutboxMessage.objects.filter(about_label=Invitation._meta.label_lower, kind=EMAIL_KIND)


def _delivery_of(email: Any) -> Delivery:
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

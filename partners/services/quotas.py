"""Limits of 24 hours on making and mailing invitations: per partner, for all, and per recipient.

A used invitation does not count against its partner. The rest of a running batch counts already.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, F, Q, Sum

from accounts.models import User
from outbox.models import OutboxMessage
from partners.enums import Channel, InvitationProblem
from partners.models import Invitation, InvitationBatch, Partner
from partners.models.batches import InvitationBatchQuerySet
from web.locks import lock_name
from web.refused import Refused

EMAIL_KIND = "partners.invitation"
MOST_EMAILS_TO_ONE = 3
DAY = timedelta(days=1)


def check_quotas(
    *, partner: Partner, by: User | None, now: datetime, made: int = 0, mailed: int = 0
) -> None:
    """Raise Refused (QUOTA_REACHED) if `made` more invitations, or `mailed` more, are too many.

    One lock for all partners makes the limits exact. It is kept until the transaction ends, and
    only `lock_recipients()` may follow it. Commands (`by=None`) have no quota.
    """
    if by is None or not (made or mailed):
        return
    lock_name("partners.quotas")
    running = InvitationBatch.objects.running()
    if made:
        most = settings.PARTNER_DAILY_INVITATIONS, settings.DAILY_INVITATIONS
        _check(most, "created_at", running, partner, made, now)
    if mailed:
        most = settings.PARTNER_DAILY_MAILS, settings.DAILY_MAILS
        _check(most, "mailed_at", running.filter(channel=Channel.EMAIL), partner, mailed, now)


def lock_recipients(recipients: Collection[str]) -> None:
    """Lock these canonical addresses until the transaction ends, in an order that all share."""
    for recipient in sorted(set(recipients)):
        lock_name(f"{EMAIL_KIND}:{recipient}")


def recipients_at_limit(recipients: Collection[str], *, now: datetime) -> dict[str, datetime]:
    """Return the addresses that got three invitations within a day, each with the next moment.

    Exact under `lock_recipients()`.
    """
    emails = OutboxMessage.objects.filter(
        kind=EMAIL_KIND, recipient__in=recipients, created_at__gt=now - DAY
    )
    moments: dict[str, list[datetime]] = {}
    for recipient, created_at in emails.values_list("recipient", "created_at"):
        moments.setdefault(recipient, []).append(created_at)
    return {
        recipient: sorted(found)[-MOST_EMAILS_TO_ONE] + DAY
        for recipient, found in moments.items()
        if len(found) >= MOST_EMAILS_TO_ONE
    }


def mailable_again_at(recipient: str, *, now: datetime) -> datetime | None:
    """Return from when one more invitation may be mailed to this address, or None for now."""
    return recipients_at_limit([recipient], now=now).get(recipient)


def has_emails_left(recipient: str, *, now: datetime) -> bool:
    """Whether one more invitation may be mailed to this canonical address at `now`."""
    return mailable_again_at(recipient, now=now) is None


def _check(
    most: tuple[int, int],
    moment: str,
    running: InvitationBatchQuerySet,
    partner: Partner,
    added: int,
    now: datetime,
) -> None:
    rows = Invitation.objects.filter(
        **{f"{moment}__gt": now - DAY}, used_count=0, created_by__isnull=False
    )
    own, left = Q(partner=partner), F("size") - F("done_count")
    made = rows.aggregate(own=Count("pk", filter=own), all=Count("pk"))
    to_come = running.aggregate(own=Sum(left, filter=own, default=0), all=Sum(left, default=0))
    for quota, whose, counted in zip(most, ("own", "all"), (rows.filter(own), rows), strict=True):
        kept = quota - to_come[whose] - added
        if made[whose] > kept:
            newest = counted.order_by(f"-{moment}").values_list(moment, flat=True)
            # As soon as this row is a day old, only the `kept` newer ones count.
            first_to_go = None if kept < 0 else newest[kept : kept + 1].first()
            raise Refused(InvitationProblem.QUOTA_REACHED, again_at=(first_to_go or now) + DAY)

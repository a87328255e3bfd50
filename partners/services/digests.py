"""One e-mail a day for members who want that: made by the worker when the day's is due."""

from collections import Counter
from datetime import datetime

from django.db import transaction

from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.models import DigestEntry, MemberDigest, PartnerMember
from partners.services.notifications import next_digest
from web.transactions import whole_transaction

KIND = "partners.digest"
CHUNK = 50


def send_digests(*, now: datetime) -> int:
    """Enqueue the digests of some members for whom one is due; return for how many."""
    due = DigestEntry.objects.filter(due_at__lte=now).order_by().values("member").distinct()[:CHUNK]
    members = [row["member"] for row in due]
    for member in sorted(members):
        _send(member, now)
    return len(members)


@whole_transaction
def _send(member_id: int, now: datetime) -> None:
    """Enqueue the member's digest, unless another worker did; its entries are deleted."""
    with transaction.atomic():
        members = PartnerMember.objects.select_related("partner", "user")
        member = members.select_for_update(no_key=True, of=("self",)).filter(pk=member_id).first()
        if member is None:
            return
        entries = dict(member.digest_entries.filter(due_at__lte=now).values_list("pk", "kind"))
        if not entries:
            return
        noted, zone = DigestEntry.objects.filter(pk__in=entries), member.partner.zone
        digest, is_first = MemberDigest.objects.get_or_create(
            member=member, sent_on=now.astimezone(zone).date()
        )
        if not is_first:
            # The partner moved to another zone since the morning: the next one has them.
            noted.update(due_at=next_digest(zone, now))
            return
        noted.delete()
        if member.user.is_active:
            data = {"counts": dict(Counter(entries.values()))}
            message = OutgoingMessage(
                KIND,
                member.user.email,
                digest,
                member.user.language,
                data,
                partner_id=member.partner_id,
            )
            enqueue_messages(messages=[message], now=now)

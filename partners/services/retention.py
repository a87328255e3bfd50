"""Discards old lists, and forgets people who were invited, listed or asking; the rows stay."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from audit.services import record_audit_event, record_audit_events
from partners.enums import BatchState
from partners.models import (
    BatchRow,
    BulkAction,
    BulkActionRow,
    Invitation,
    InvitationBatch,
    InvitationRequest,
    MemberInvitation,
)
from partners.models.invitations import REMOVED_ADDRESS
from partners.services.batches import end_batch
from partners.services.bulk_actions import cancel_bulk_action
from web.email_addresses import replace_address

ROWS_AT_ONCE = 200
# They have nothing that is locked, counted or recorded.
BULK_ROWS_AT_ONCE = 5_000


def discard_old_drafts(*, now: datetime) -> int:
    """Cancel some lists that were not started in time; return how many.

    Such a list was forgotten, and it contains people's names.
    """
    end = now - settings.RETENTION["DRAFTS"]
    with transaction.atomic():
        drafts = InvitationBatch.objects.in_state(BatchState.DRAFT).filter(created_at__lte=end)
        old = drafts.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:ROWS_AT_ONCE]
        for batch in old:
            end_batch(batch=batch, action="batch.cancelled", now=now)
    return len(old)


def forget_bulk_actions(*, now: datetime) -> int:
    """Cancel some drafts of actions on many rows, and delete the rows of one that ended long ago.

    Return how many. The actions stay, with their counts.
    """
    end = now - settings.RETENTION["DRAFTS"]
    with transaction.atomic():
        drafts = BulkAction.objects.drafts().filter(created_at__lte=end)
        old = _locked(drafts)
        for draft in old:
            cancel_bulk_action(action=draft, by=None, now=now)
    ended = Q(finished_at__lte=end) | Q(cancelled_at__lte=end)
    rows = BulkActionRow.objects.filter(action__in=BulkAction.objects.filter(ended))
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[:BULK_ROWS_AT_ONCE])
    BulkActionRow.objects.filter(pk__in=keys).delete()
    return len(old) + len(keys)


def forget_invited_people(*, now: datetime) -> int:
    """Remove the recipients of some invitations that ended long ago; return how many.

    The recipient of a customer's invitation stays while the association is in force, and so
    does everything of a live invitation. Such an invitation cannot be sent again.
    """
    end = now - settings.RETENTION["INVITATIONS"]
    has_ended = Q(expires_at__lte=end) | Q(revoked_at__lte=end)
    used = Q(associations__ended_at__isnull=True) | Q(associations__ended_at__gt=end)
    still_used = Invitation.objects.filter(used, associations__isnull=False)
    with transaction.atomic():
        named = Invitation.objects.exclude(recipient="").exclude(recipient=REMOVED_ADDRESS)
        rows = _locked(named.filter(has_ended).exclude(pk__in=still_used.values("pk")))
        changes = [_forget_recipient(invitation) for invitation in rows]
        record_audit_events(
            action="invitation.recipient_removed",
            changes=[(row, None, after) for row, after in zip(rows, changes, strict=True)],
            by=None,
            now=now,
        )
        fields = ["recipient", "recipient_name", "customer_name", "label", "note"]
        Invitation.objects.bulk_update(rows, fields)
    return len(rows)


def _forget_recipient(invitation: Invitation) -> dict[str, Any]:
    """Replace the recipient on the object; return the audited values, changed or not."""
    address, name = invitation.recipient, invitation.recipient_name
    label = REMOVED_ADDRESS if invitation.label == name else invitation.label
    invitation.label = replace_address(label, address, REMOVED_ADDRESS)[:120]
    invitation.note = replace_address(invitation.note, address, REMOVED_ADDRESS)[:500]
    invitation.recipient = REMOVED_ADDRESS
    invitation.recipient_name = invitation.customer_name = ""
    return {"label": invitation.label, "note": invitation.note, "customer_name": ""}


def forget_listed_people(*, now: datetime) -> int:
    """Empty some rows of lists of people that ended long ago, or were never started.

    Return how many.
    """
    end = now - settings.RETENTION["INVITATIONS"]
    discarded = now - settings.RETENTION["DRAFTS"]
    batches = InvitationBatch.objects.filter(
        Q(finished_at__lte=end)
        | Q(cancelled_at__lte=end)
        | Q(started_at__isnull=True, cancelled_at__lte=discarded)
    )
    empty = {"name": "", "email": "", "country": "", "note": "", "reference": ""}
    with transaction.atomic():
        rows = _locked(BatchRow.objects.named().filter(batch__in=batches))
        BatchRow.objects.filter(pk__in=[row.pk for row in rows]).update(**empty)
    return len(rows)


def forget_asking_people(*, now: datetime) -> int:
    """Remove the addresses of some requests for an invitation that were closed long ago."""
    end = now - settings.RETENTION["INVITATIONS"]
    with transaction.atomic():
        closed = InvitationRequest.objects.exclude(address=REMOVED_ADDRESS)
        rows = _locked(closed.filter(closed_at__lte=end))
        keys = [row.pk for row in rows]
        InvitationRequest.objects.filter(pk__in=keys).update(address=REMOVED_ADDRESS)
    return len(rows)


def forget_invited_members(*, now: datetime) -> int:
    """Remove the addresses of some invitations of members that ended long ago.

    One that has only expired is withdrawn first.
    """
    end = now - settings.RETENTION["INVITATIONS"]
    ended = Q(accepted_at__lte=end) | Q(withdrawn_at__lte=end) | Q(expires_at__lte=end)
    with transaction.atomic():
        rows = _locked(MemberInvitation.objects.filter(ended).exclude(address=REMOVED_ADDRESS))
        for row in rows:
            after: dict[str, Any] = {"address": REMOVED_ADDRESS}
            if row.accepted_at is None and row.withdrawn_at is None:
                after["withdrawn_at"] = now.isoformat()
                row.withdrawn_at = now
            row.address = REMOVED_ADDRESS
            row.save(update_fields=["address", "withdrawn_at"])
            record_audit_event(
                action="member_invitation.address_removed", about=row, by=None, now=now, after=after
            )
    return len(rows)


def _locked(rows: QuerySet[Any]) -> Sequence[Any]:
    return list(rows.select_for_update(skip_locked=True, of=("self",))[:ROWS_AT_ONCE])

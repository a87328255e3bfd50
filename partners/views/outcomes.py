"""What came of invitations, as a file: each with its link, delivery, outcome and moment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.enums import DeliveryState
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.services.delivery_state import (
    UNDELIVERED,
    deliveries_of,
    deliveries_of_batch,
)
from partners.services.invitation_search import AS_MADE
from partners.services.pages import pages_of
from partners.views.downloads import csv_of
from partners.views.shared import invitations_of, states

ROWS_READ_AT_ONCE = 500


def outcomes_download(
    member: PartnerMember, rows: QuerySet[Invitation], *, name: str
) -> HttpResponseBase:
    """Stream the invitations, each with what came of it."""
    header = [
        *(_("Label"), _("Reference"), _("Recipient"), _("Link"), _("Delivery")),
        *(_("Outcome"), _("When")),
    ]
    return csv_of(member, name, header, _lines(member, rows, timezone.now()))


def undelivered_download(member: PartnerMember, batch: InvitationBatch) -> HttpResponseBase:
    """Stream the addresses that the batch's e-mails will never reach, each with the reason."""
    words = delivery_words()
    found = {
        key: with_code(words[delivery.state], delivery.code)
        for key, delivery in deliveries_of_batch(batch).items()
        if delivery.state in UNDELIVERED
    }
    rows = batch.invitations.filter(pk__in=found).order_by("created_at", "pk")
    lines = ((shown_recipient(member, row), found[row.pk]) for row in rows)
    return csv_of(member, f"undelivered-{batch.pk}", [_("Address"), _("Reason")], lines)


def delivery_words() -> dict[DeliveryState, str]:
    return {
        DeliveryState.ON_ITS_WAY: _("On its way"),
        DeliveryState.RETRIED: _("Will be tried again"),
        DeliveryState.SENT: _("Sent"),
        DeliveryState.REFUSED: _("Refused by the mail server"),
        DeliveryState.FAILED: _("Could not be sent"),
        DeliveryState.LATE: _("Not sent in time"),
        DeliveryState.DROPPED: _("Not sent: it could no longer be followed"),
        DeliveryState.UNSUBSCRIBED: _("Does not want e-mail"),
    }


def with_code(word: str, code: str) -> str:
    """Return the word with what the mail server answered, if it did."""
    return f"{word} (SMTP {code})" if code else word


def shown_recipient(member: PartnerMember, invitation: Invitation) -> str:
    """Return the address as the invitation's own page shows it to this member."""
    if not invitation.recipient or member.may_reveal_addresses:
        return invitation.recipient
    return invitation.masked_recipient


def _lines(member: PartnerMember, rows: QuerySet[Invitation], now: datetime) -> Iterator[list[Any]]:
    words, of_state = delivery_words(), states()
    for page in pages_of(rows, order=AS_MADE, size=ROWS_READ_AT_ONCE):
        for invitation in page:
            invitation.partner = member.partner
        deliveries = deliveries_of(page)
        joined = dict(
            invitations_of(member)
            .filter(pk__in=[row.pk for row in page], used_count__gt=0)
            .order_by()
            .values_list("pk", Max("associations__associated_at"))
        )
        for row in page:
            delivery, joined_at = deliveries.get(row.pk), joined.get(row.pk)
            yield [
                *(
                    member.readable(row.label),
                    row.reference,
                    shown_recipient(member, row),
                    row.link,
                ),
                with_code(words[delivery.state], delivery.code) if delivery else "",
                _("Associated") if joined_at else of_state[row.refusal(now)].label,
                joined_at or _ended_at(row, now),
            ]


def _ended_at(row: Invitation, now: datetime) -> datetime | None:
    has_expired = row.expires_at is not None and row.expires_at <= now
    return row.revoked_at or (row.expires_at if has_expired else None)

"""What came of invitations, as a file: each with its link, delivery, outcome and moment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpResponseBase
from django.utils import timezone
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from partners.enums import DeliveryState
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.services.delivery_state import (
    UNDELIVERED,
    Delivery,
    deliveries_of,
    deliveries_of_batch,
)
from partners.services.pages import Order, pages_of
from partners.views.shared import State, invitations_of, states
from web.downloads import csv_download

AS_MADE = Order("created_at", descending=False)
ROWS_READ_AT_ONCE = 500


def outcomes_download(
    member: PartnerMember, rows: QuerySet[Invitation], *, name: str
) -> HttpResponseBase:
    """Stream the invitations; moments are in the partner's time zone."""
    # Translated here: while the rows are sent, the reader's language is no longer the active one.
    header = [
        *(_("Label"), _("Reference"), _("Recipient"), _("Link"), _("Delivery")),
        *(_("Outcome"), _("When")),
    ]
    words = _Words(joined=_("Associated"), states=states(), deliveries=delivery_words())
    return csv_download(name, header, _lines(member, rows, words, timezone.now()))


def undelivered_download(member: PartnerMember, batch: InvitationBatch) -> HttpResponseBase:
    """Stream the addresses that the batch's e-mails will not reach, each with the reason."""
    words = delivery_words()
    found = {
        key: with_code(words[delivery.state], delivery.code)
        for key, delivery in deliveries_of_batch(batch).items()
        if delivery.state in UNDELIVERED
    }
    rows = batch.invitations.filter(pk__in=found).order_by("created_at", "pk")
    lines = ((shown_recipient(member, row), found[row.pk]) for row in rows)
    return csv_download(f"refused-{batch.pk}", [_("Address"), _("Reason")], lines)


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


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of the file, in the reader's language."""

    joined: str
    states: Mapping[str | None, State]
    deliveries: Mapping[DeliveryState, str]


def _lines(
    member: PartnerMember, rows: QuerySet[Invitation], words: _Words, now: datetime
) -> Iterator[list[Any]]:
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
            outcome, moment = _outcome(row, joined.get(row.pk), words, now)
            yield [
                *(row.label, row.reference, shown_recipient(member, row), row.link),
                _delivery(deliveries.get(row.pk), words),
                outcome,
                _local(moment, member),
            ]


def _outcome(
    row: Invitation, joined_at: datetime | None, words: _Words, now: datetime
) -> tuple[str, datetime | None]:
    """Return what came of it, and since when."""
    if joined_at is not None:
        return words.joined, joined_at
    state = words.states[row.refusal(now)]
    ended_at = row.expires_at if row.expires_at and row.expires_at <= now else None
    return state.label, row.revoked_at or ended_at


def _delivery(delivery: Delivery | None, words: _Words) -> str:
    if delivery is None:
        return ""
    return with_code(words.deliveries[delivery.state], delivery.code)


def _local(moment: datetime | None, member: PartnerMember) -> str:
    if moment is None:
        return ""
    return localtime(moment, member.partner.zone).isoformat(timespec="seconds")

"""What a member can do about an attempt from a list: a button, a page, or what was done already."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from association.enums import Operation
from association.models import Attempt, PartnerMessage
from association.services.attempts import last_moment_to_associate
from association.services.following_up import (
    SENDING,
    joined_meanwhile,
    operations_for,
    sent_invitations,
)
from association.services.partner_messages import (
    PAUSE,
    advised_at,
    messages_about,
    reminded_at,
)
from partners.models import Invitation, PartnerMember
from partners.services.unsubscribe_links import unsubscribed

BUTTONS: Mapping[str | None, Any] = {
    Operation.RESEND: gettext_lazy("Send the invitation again"),
    Operation.OFFER_REFERRAL: gettext_lazy("Offer the referral type"),
    Operation.SEND_ONLINE_INVITATION: gettext_lazy("Send an online invitation"),
    Operation.SEND_TO_OTHER_ADDRESS: gettext_lazy("Send it to another address"),
    Operation.MESSAGE_CUSTOMER: gettext_lazy("Send the message"),
}
# Of several operations a list shows the first of these.
PREFERRED = (*sorted(SENDING), Operation.SEND_TO_OTHER_ADDRESS, Operation.MESSAGE_CUSTOMER)


@dataclass(frozen=True, slots=True)
class Action:
    """A link to where it is done, with the text of what is sent; or when it was done."""

    label: str
    href: str
    done_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.done_at is None


@dataclass(slots=True)
class _Known:
    """What was sent to the people of some attempts, and who does not want e-mail."""

    invitations: Mapping[UUID, Mapping[str, Invitation]]
    messages: Collection[PartnerMessage]
    unsubscribed: Collection[str]


def actions_of(
    attempts: Collection[Attempt], member: PartnerMember, *, now: datetime
) -> dict[UUID, Action]:
    """Return the action of each attempt that has one; at most four statements.

    Account, owner, invitation and association must be loaded.
    """
    refused = [attempt for attempt in attempts if _is_refused(attempt)]
    put_off = [attempt for attempt in attempts if _is_put_off(attempt)]
    if not refused and not put_off:
        return {}
    joined = joined_meanwhile([*refused, *put_off])
    refused = [attempt for attempt in refused if attempt.pk not in joined]
    put_off = [attempt for attempt in put_off if attempt.pk not in joined]
    for attempt in attempts:
        attempt.invitation.partner = member.partner
    known = _Known(
        sent_invitations(refused, now=now),
        messages_about([*refused, *put_off]),
        unsubscribed({_address(row) for row in [*refused, *put_off]}, partner=member.partner),
    )
    found = {attempt.pk: _about_refusal(attempt, known) for attempt in refused}
    found |= {attempt.pk: _reminder(attempt, known, now) for attempt in put_off}
    return {key: action for key, action in found.items() if action is not None}


def deadline_of(attempt: Attempt) -> datetime | None:
    """Return until when an attempt that was put off can be finished, or None for others."""
    return last_moment_to_associate(attempt) if _is_put_off(attempt) else None


def _is_open(attempt: Attempt) -> bool:
    """Whether the attempt has an account that was not erased, and no association."""
    is_known = attempt.account is not None and attempt.account.owner.is_active
    return is_known and not hasattr(attempt, "association")


def _is_refused(attempt: Attempt) -> bool:
    return _is_open(attempt) and attempt.refused_at is not None


def _is_put_off(attempt: Attempt) -> bool:
    is_put_off = attempt.refused_at is None and attempt.deferred_at is not None
    return _is_open(attempt) and is_put_off


def _address(attempt: Attempt) -> str:
    return attempt.account.owner.email if attempt.account else ""


def _about_refusal(attempt: Attempt, known: _Known) -> Action | None:
    possible = set(operations_for(attempt).values())
    operation = next((one for one in PREFERRED if one in possible), None)
    if operation is None:
        return None
    label, page = str(BUTTONS[operation]), reverse("console_attempt", args=[attempt.pk])
    if operation == Operation.SEND_TO_OTHER_ADDRESS:
        href = f"{reverse('console_new_email')}?copy={attempt.invitation_id}"
        return Action(label, href=href)
    if operation == Operation.MESSAGE_CUSTOMER:
        if attempt.invitation.partner.is_frozen:
            return None
        if _address(attempt) in known.unsubscribed:
            return Action(_("Message to the customer"), href=f"{page}#message")
        return Action(label, f"{page}#message", advised_at(attempt, known.messages))
    invitation = known.invitations[attempt.pk].get(operation)
    return Action(label, f"{page}#refusals", invitation.mailed_at if invitation else None)


def _reminder(attempt: Attempt, known: _Known, now: datetime) -> Action | None:
    deadline = last_moment_to_associate(attempt)
    is_over = deadline is None or deadline <= now or attempt.invitation.refusal(now) is not None
    if is_over or _address(attempt) in known.unsubscribed:
        return None
    last = reminded_at(attempt, known.messages)
    done_at = last if last is not None and now < last + PAUSE else None
    href = f"{reverse('console_attempt', args=[attempt.pk])}#put_off"
    return Action(_("Remind"), href, done_at)

"""What the console shows of an attempt: in the list, on its page and in the CSV file."""

from datetime import datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from association.emails.advice import message_to_customer, preview_advice
from association.emails.joining import preview_reminder
from association.enums import Operation, Outcome
from association.models import Attempt
from association.refusal_texts import REFUSAL_TEXTS, text_for_partner
from association.services.admission import refusals_ending_too_late
from association.services.customer_names import person_behind
from association.services.following_up import (
    draft_to_send,
    joined_meanwhile,
    operations_for,
    sent_invitations,
    suggested_operation,
)
from association.services.history import known_address, last_step, outcome
from association.services.partner_messages import advised_at, messages_about
from association.views.console.attempt_actions import BUTTONS, actions_of, deadline_of
from outbox.services.rendering import Email
from outbox.services.suppression import is_suppressed
from partners.emails import preview_invitation
from partners.models import PartnerMember
from web.email_addresses import mask_address
from web.templatetags.moments import moment

KINDS = {Outcome.ASSOCIATED: "success", Outcome.REFUSED: "danger", Outcome.UNDER_WAY: "info"}
COLUMNS = (
    *(gettext_lazy("Customer"), gettext_lazy("Account name"), gettext_lazy("E-mail")),
    *(gettext_lazy("Invitation"), gettext_lazy("Channel"), gettext_lazy("Type")),
    *(gettext_lazy("Started"), gettext_lazy("Last step"), gettext_lazy("Outcome")),
    *(gettext_lazy("Reasons"), gettext_lazy("Codes of the reasons")),
    *(gettext_lazy("Registered"), gettext_lazy("Refused"), gettext_lazy("Associated")),
    gettext_lazy("Attempt"),
)


def row_of(attempt: Attempt, member: PartnerMember) -> dict[str, Any]:
    """Return what the list shows the member; the address is empty before one is known."""
    its_outcome, address = outcome(attempt), known_address(attempt)
    return {
        "attempt": attempt,
        "name": person_behind(attempt),
        "address": address if member.sees_addresses or not address else mask_address(address),
        "step": last_step(attempt),
        "outcome": its_outcome,
        "kind": KINDS[its_outcome],
        "refusals": [REFUSAL_TEXTS[code] for code in attempt.refusal_codes],
    }


def cells_of(attempt: Attempt, member: PartnerMember) -> list[Any]:
    """Return the cells of a line of CSV, in the order of `COLUMNS`."""
    row, association = row_of(attempt, member), getattr(attempt, "association", None)
    return [
        row["name"],
        attempt.account.owner.account_name if attempt.account else "",
        row["address"],
        member.readable(attempt.invitation.label),
        capfirst(attempt.invitation.get_channel_display()),
        capfirst(attempt.invitation.get_association_type_display()),
        attempt.started_at,
        row["step"].label,
        row["outcome"].label,
        " ".join(str(text.partner) for text in row["refusals"]),
        " ".join(attempt.refusal_codes),
        attempt.registered_at,
        attempt.refused_at,
        association.associated_at if association else None,
        attempt.pk,
    ]


def detail_of(attempt: Attempt, member: PartnerMember, *, now: datetime) -> dict[str, Any]:
    """Return the context of the attempt's page.

    Each refusal has the label of its button (empty without one), the invitation that the button
    has sent already or the e-mail that it would send, and whether only the partner's freeze keeps
    what helps from being done.
    """
    is_frozen = attempt.invitation.partner.is_frozen
    sent, operations = sent_invitations([attempt], now=now)[attempt.pk], operations_for(attempt)
    if operations and joined_meanwhile([attempt]):
        operations, is_frozen = dict.fromkeys(operations), False
    too_late = refusals_ending_too_late(attempt, now)
    emails: dict[Operation | None, Email | None] = {
        operation: _email_of(attempt, operation, member, now)
        for operation in set(operations.values())
        if operation is not None and operation not in sent
    }
    refusals = [
        {
            "text": text_for_partner(code, ends_too_late=code in too_late),
            "operation": operation,
            "label": BUTTONS.get(operation, ""),
            "sent": sent.get(operation or ""),
            "email": emails.get(operation),
            "is_held_up": is_frozen and operation != suggested_operation(code),
        }
        for code, operation in operations.items()
    ]
    reminder = None if refusals else actions_of([attempt], member, now=now).get(attempt.pk)
    is_message = Operation.MESSAGE_CUSTOMER in operations.values()
    return {
        "row": row_of(attempt, member),
        "tasks": [task for task in _steps(attempt) if task],
        "refusals": refusals,
        "message": _message(attempt) if is_message else None,
        "reminder": reminder,
        "reminder_email": preview_reminder(attempt) if reminder and reminder.is_open else None,
        "deadline": deadline_of(attempt),
    }


def _email_of(
    attempt: Attempt, operation: str, member: PartnerMember, now: datetime
) -> Email | None:
    """Return the invitation's e-mail that the button of the operation would send now.

    It names its recipient, whom not every member may read.
    """
    draft = draft_to_send(attempt, operation, now=now)
    if draft is None:
        return None
    if not member.sees_addresses:
        draft.recipient = draft.masked_recipient
    return preview_invitation(draft)


def _message(attempt: Attempt) -> dict[str, Any]:
    """Return the e-mail with the reasons, when it was sent, and the text to copy instead.

    There is a text to copy only for somebody who does not want e-mail.
    """
    owner, partner = attempt.account.owner if attempt.account else None, attempt.invitation.partner
    is_unwanted = owner is not None and is_suppressed(address=owner.email, sender=partner)
    has_address = owner is not None and owner.is_active and not is_unwanted
    return {
        "email": preview_advice(attempt),
        "sent_at": advised_at(attempt, messages_about([attempt])),
        "can_send": has_address and not partner.is_frozen,
        "copy": message_to_customer(attempt) if is_unwanted else "",
    }


def _steps(attempt: Attempt) -> list[dict[str, Any] | None]:
    """Return the steps in their order, as tasks; None for an optional one that was not taken."""
    association = getattr(attempt, "association", None)
    entered = None if attempt.registered_at else attempt.entered_at
    check = _task(_("Passed the check"), attempt.decided_at)
    if attempt.refused_at is not None:
        names = {"title": _("Refused at the check"), "label": _("Refused")}
        check = {**names, "state": "waiting", "text": moment(attempt.refused_at)}
    return [
        _task(_("Followed the invitation and began"), attempt.started_at),
        _instructions(attempt) if attempt.invitation.is_reseller else None,
        _happened(_("Agreed to the Letter of Authorization"), attempt.letter_agreed_at),
        _happened(_("Asked for a verification code"), attempt.code_asked_at),
        _happened(_("Entered with an existing account"), entered)
        or _task(_("Registered an account"), attempt.registered_at),
        check,
        _happened(_("Asked us to tell you about the refusal"), attempt.told_partner_at),
        _happened(_("Put off until later"), attempt.deferred_at),
        _task(_("Associated"), association.associated_at if association else None),
    ]


def _instructions(attempt: Attempt) -> dict[str, Any]:
    """Return the step of agreeing; what was ticked before an existing account entered is gone."""
    task = _task(_("Agreed to the Instructions for Associating"), attempt.instructions_agreed_at)
    is_asked_again = attempt.is_restarted or attempt.agrees_at_the_end
    if task["state"] == "todo" and is_asked_again:
        task["label"] = _("Will be asked for again, on the last page")
    return task


def _task(title: str, at: datetime | None) -> dict[str, Any]:
    if at is None:
        return {"title": title, "state": "todo", "label": _("Not yet")}
    return {"title": title, "state": "done", "text": moment(at)}


def _happened(title: str, at: datetime | None) -> dict[str, Any] | None:
    return None if at is None else _task(title, at)

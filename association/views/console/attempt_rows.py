"""What the console shows of an attempt: in the list, on its page and in the CSV file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from association.enums import LastStep, Operation, Outcome
from association.models import Attempt
from association.services.following_up import (
    message_to_customer,
    operations_for,
    sent_by_operation,
)
from association.services.history import known_address, last_step, outcome
from association.services.refusal_texts import REFUSAL_TEXTS, RefusalText
from partners.models import Invitation
from web.email_addresses import mask_address
from web.templatetags.moments import moment

KINDS = {Outcome.ASSOCIATED: "success", Outcome.REFUSED: "danger", Outcome.UNDER_WAY: "info"}
BUTTONS = {
    Operation.RESEND: gettext_lazy("Send the invitation again"),
    Operation.OFFER_REFERRAL: gettext_lazy("Offer the referral type"),
    Operation.SEND_ONLINE_INVITATION: gettext_lazy("Send an online invitation"),
}
COLUMNS = (
    "attempt",
    "started_at",
    "account_name",
    "address",
    "invitation",
    "channel",
    "association_type",
    "last_step",
    "outcome",
    "refusal_codes",
    "refusals",
    "registered_at",
    "refused_at",
    "associated_at",
)


@dataclass(frozen=True, slots=True)
class Row:
    """An attempt in the list."""

    attempt: Attempt
    address: str
    step: LastStep
    outcome: Outcome
    kind: str
    refusals: list[RefusalText]


@dataclass(frozen=True, slots=True)
class RefusalShown:
    """A refusal on the attempt's page with its text and its button (empty without one).

    `sent` is the invitation that the button has sent already.
    """

    text: RefusalText
    operation: str
    label: Any
    is_message: bool
    sent: Invitation | None


def row_of(attempt: Attempt) -> Row:
    """Return the row; the address is masked, and empty before one is known."""
    its_outcome, address = outcome(attempt), known_address(attempt)
    return Row(
        attempt=attempt,
        address=mask_address(address) if address else "",
        step=last_step(attempt),
        outcome=its_outcome,
        kind=KINDS[its_outcome],
        refusals=_refusals(attempt),
    )


def cells_of(attempt: Attempt) -> list[Any]:
    """Return the cells of a line of CSV, in the order of `COLUMNS`; moments are UTC."""
    row, association = row_of(attempt), getattr(attempt, "association", None)
    return [
        attempt.pk,
        _utc(attempt.started_at),
        attempt.account.owner.account_name if attempt.account else "",
        row.address,
        attempt.invitation.label,
        attempt.invitation.channel,
        attempt.invitation.association_type,
        row.step.value,
        row.outcome.value,
        " ".join(attempt.refusal_codes),
        " ".join(str(text.partner) for text in row.refusals),
        _utc(attempt.registered_at),
        _utc(attempt.refused_at),
        _utc(association.associated_at if association else None),
    ]


def detail_of(attempt: Attempt, *, now: datetime) -> dict[str, Any]:
    """Return the context of the attempt's page."""
    sent = sent_by_operation(attempt=attempt, now=now)
    refusals = [
        RefusalShown(
            text=REFUSAL_TEXTS[code],
            operation=operation if operation in BUTTONS else "",
            label=BUTTONS.get(operation, "") if operation else "",
            is_message=operation == Operation.MESSAGE_CUSTOMER,
            sent=sent.get(operation) if operation else None,
        )
        for code, operation in operations_for(attempt).items()
    ]
    return {
        "row": row_of(attempt),
        "tasks": [task for task in _steps(attempt) if task],
        "refusals": refusals,
        "message": message_to_customer(attempt) if any(r.is_message for r in refusals) else "",
    }


def _refusals(attempt: Attempt) -> list[RefusalText]:
    return [REFUSAL_TEXTS[code] for code in attempt.refusal_codes]


def _steps(attempt: Attempt) -> list[dict[str, Any] | None]:
    """Return the steps in their order, as tasks; None for an optional one that was not taken."""
    association = getattr(attempt, "association", None)
    entered = None if attempt.registered_at else attempt.entered_at
    decided_at = None if attempt.refused_at else attempt.decided_at
    return [
        _task(_("Followed the invitation and began"), attempt.started_at),
        _task(_("Agreed to the Instructions for Associating"), attempt.instructions_agreed_at)
        if attempt.invitation.is_reseller
        else None,
        _happened(_("Agreed to the Letter of Authorization"), attempt.letter_agreed_at),
        _happened(_("Asked for a verification code"), attempt.code_asked_at),
        _happened(_("Entered with an existing account"), entered)
        or _task(_("Registered an account"), attempt.registered_at),
        _refused(attempt.refused_at) or _task(_("Passed the check"), decided_at),
        _happened(_("Asked us to tell you about the refusal"), attempt.told_partner_at),
        _happened(_("Put off until later"), attempt.deferred_at),
        _task(_("Associated"), association.associated_at if association else None),
    ]


def _task(title: str, at: datetime | None) -> dict[str, Any]:
    if at is None:
        return {"title": title, "state": "todo", "label": _("Not yet")}
    return {"title": title, "state": "done", "text": moment(at)}


def _happened(title: str, at: datetime | None) -> dict[str, Any] | None:
    return None if at is None else _task(title, at)


def _refused(at: datetime | None) -> dict[str, Any] | None:
    if at is None:
        return None
    return {
        "title": _("Refused at the check"),
        "state": "waiting",
        "label": _("Refused"),
        "text": moment(at),
    }


def _utc(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat(timespec="seconds")

"""What the console shows of an attempt: in the list, on its page and in the CSV file."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from association.enums import FOR_GOOD, Operation, Outcome, RefusalCode
from association.models import Attempt
from association.refusals import INVITATION_TEXTS, REFUSAL_TEXTS, customer_reason
from association.services.customer_names import person_behind
from association.services.following_up import operations_for, sent_by_operation, suggested_operation
from association.services.history import known_address, last_step, outcome
from association.ways_out import way_as_text, way_out
from partners.models import PartnerMember
from web.email_addresses import mask_address
from web.templatetags.moments import moment

KINDS = {Outcome.ASSOCIATED: "success", Outcome.REFUSED: "danger", Outcome.UNDER_WAY: "info"}
BUTTONS: dict[str | None, Any] = {
    Operation.RESEND: gettext_lazy("Send the invitation again"),
    Operation.OFFER_REFERRAL: gettext_lazy("Offer the referral type"),
    Operation.SEND_ONLINE_INVITATION: gettext_lazy("Send an online invitation"),
    Operation.SEND_TO_OTHER_ADDRESS: gettext_lazy("Send it to another address"),
}
# The operations whose refusals the customer can also do something about.
FOR_THE_CUSTOMER = {
    Operation.MESSAGE_CUSTOMER,
    Operation.OFFER_REFERRAL,
    Operation.SEND_TO_OTHER_ADDRESS,
}
COLUMNS = (
    *(gettext_lazy("Customer"), gettext_lazy("Account name"), gettext_lazy("E-mail")),
    *(gettext_lazy("Invitation"), gettext_lazy("By"), gettext_lazy("Type")),
    *(gettext_lazy("Began"), gettext_lazy("Last step"), gettext_lazy("Outcome")),
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
        attempt.invitation.label,
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
    has sent already, and whether only the partner's freeze keeps what helps from being done.
    """
    is_frozen = attempt.invitation.partner.is_frozen
    sent, operations = sent_by_operation(attempt=attempt, now=now), operations_for(attempt)
    refusals = [
        {
            "text": REFUSAL_TEXTS[code],
            "operation": operation,
            "label": BUTTONS.get(operation, ""),
            "sent": sent.get(operation or ""),
            "is_held_up": is_frozen and operation != suggested_operation(code),
        }
        for code, operation in operations.items()
    ]
    is_message = Operation.MESSAGE_CUSTOMER in operations.values()
    return {
        "row": row_of(attempt, member),
        "tasks": [task for task in _steps(attempt) if task],
        "refusals": refusals,
        "message": message_to_customer(attempt) if is_message else "",
    }


def message_to_customer(attempt: Attempt) -> str:
    """Return a message that the partner can send: the reasons and the ways out.

    It is in the language of the attempt, and contains no amount and no other partner's name.
    """
    partner, is_bound = attempt.invitation.partner, attempt.invitation.is_bound
    with override(attempt.language):
        greeting = _(
            "Hello,\n\nyou wanted to join %(partner)s with your account %(account)s at "
            "%(provider)s. That is not possible:"
        ) % {
            "partner": partner.name,
            "account": attempt.account.owner.account_name if attempt.account else "",
            "provider": settings.PROVIDER_NAME,
        }
        reasons = [
            f"- {customer_reason(code)} {way_as_text(way_out(code, is_bound=is_bound), partner)}"
            for code in attempt.refusal_codes
            if suggested_operation(code) in FOR_THE_CUSTOMER
        ]
        regards = _("Kind regards\n%(partner)s") % {"partner": partner.name}
        return "\n\n".join([greeting, "\n".join(reasons), _closing(attempt), regards])


def _closing(attempt: Attempt) -> str:
    """Return the last sentence: the link to the invitation only if it can be of use again."""
    invitation, codes = attempt.invitation, set(attempt.refusal_codes)
    values = {"address": invitation.partner.support_email, "link": invitation.link}
    # From the mainland site a new account follows the same link.
    if (FOR_GOOD - {RefusalCode.CHINESE_MAINLAND_SITE}) & codes:
        return _("If you have a question, write to %(address)s.") % values
    if codes & INVITATION_TEXTS.keys():
        return _("Then write to %(address)s, and ask for another invitation.") % values
    return _("Then open your invitation again:\n%(link)s") % values


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
        task["label"] = _("Asked for on the last page")
    return task


def _task(title: str, at: datetime | None) -> dict[str, Any]:
    if at is None:
        return {"title": title, "state": "todo", "label": _("Not yet")}
    return {"title": title, "state": "done", "text": moment(at)}


def _happened(title: str, at: datetime | None) -> dict[str, Any] | None:
    return None if at is None else _task(title, at)

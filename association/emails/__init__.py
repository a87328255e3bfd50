"""The e-mails about joining and about associations, to the customer and to the partner.

Each function is named after its kind, and raises Stale when its e-mail is no longer useful.
"""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import FreezeCause, ResourceStatus
from association.emails.freezes import customer_frozen as customer_frozen
from association.emails.freezes import customer_unfrozen as customer_unfrozen
from association.emails.freezes import find_advice
from association.emails.freezes import frozen as frozen
from association.emails.freezes import unfrozen as unfrozen
from association.ending_words import who_ended
from association.enums import AuthorizationState, FrozenAction, Side
from association.models import (
    Association,
    Attempt,
    Authorization,
    BudgetAlert,
    BudgetRequest,
    EndRequest,
    OnExhaustion,
)
from association.refusals import REFUSAL_TEXTS
from association.services.attempts import last_moment_to_associate
from association.services.budget_watch import THRESHOLDS
from association.services.endings import answer_is_due_at
from association.services.spending import resets_at
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email
from partners.emails import render_for_partner
from web.email_addresses import mask_address

_ASSOCIATIONS = Association.objects.select_related("partner", "account__owner")
_END_REQUESTS = EndRequest.objects.select_related(
    "association__partner", "association__account__owner"
)
_AUTHORIZATIONS = Authorization.objects.select_related(
    "association__partner", "association__account__owner"
)


def associated(message: OutboxMessage) -> Email:
    association = find_about(message, _ASSOCIATIONS.all())
    subject = (
        _("You have joined %(partner)s – your account is frozen for now")
        if association.is_reseller
        else _("You have joined %(partner)s")
    )
    return _to_customer(message, association, subject)


def resume(message: OutboxMessage) -> Email:
    """Lead a customer who enables later back to the attempt. Stale when joining is not possible."""
    attempt = _find_unfinished_attempt(message)
    refusal = attempt.invitation.refusal(timezone.now())
    if refusal is not None:
        raise Stale(refusal)
    last_moment = last_moment_to_associate(attempt)
    if last_moment is None or timezone.now() > last_moment:
        raise Stale("too late to join")
    partner = attempt.invitation.partner
    return render_email(
        message,
        template="association/resume",
        subject=_("Finish joining %(partner)s") % {"partner": partner.name},
        context={
            "partner": partner,
            "last_moment": last_moment,
            "resume_url": absolute_url("join_resume", attempt.pk),
        },
    )


def customer_waiting(message: OutboxMessage) -> Email:
    association = find_about(message, _ASSOCIATIONS.all())
    if association.ended_at is not None:
        raise Stale("association ended")
    if association.budgets.current().exists():
        raise Stale("budget is set")
    resources = association.account.resources.exclude(status=ResourceStatus.RELEASED)
    subject = _("A new customer waits for a budget")
    return _to_partner(message, association, subject, had_resources=resources.exists())


def customer_refused(message: OutboxMessage) -> Email:
    """Tell the partner why a customer could not join; written only when the customer asks for it.

    `data["codes"]` has the refusal codes. The text has neither amounts nor names of other partners.
    """
    attempt = _find_unfinished_attempt(message)
    codes = [code for code in message.data.get("codes", ()) if code in REFUSAL_TEXTS]
    if not codes:
        raise Stale("without a reason")
    owner = attempt.account.owner if attempt.account is not None else None
    return render_for_partner(
        message,
        partner=attempt.invitation.partner,
        template="association/customer_refused",
        subject=_("A customer could not join"),
        context={
            "label": attempt.invitation.label,
            "account_name": owner.account_name if owner else "",
            "masked_address": mask_address(owner.email) if owner else "",
            "refusals": [REFUSAL_TEXTS[code] for code in codes],
            "console_url": absolute_url("console_attempt", attempt.pk),
        },
    )


def budget_alert(message: OutboxMessage) -> Email:
    """Stale when the budget was replaced; `data["used"]` is the amount at the time of the alert."""
    rows = BudgetAlert.objects.select_related(
        "budget__association__partner", "budget__association__account__owner"
    )
    alert = find_about(message, rows)
    budget, association = alert.budget, alert.budget.association
    if association.ended_at is not None or budget.replaced_at is not None:
        raise Stale("budget is replaced")
    is_used_up = alert.threshold == THRESHOLDS[-1]
    subject = (
        _("A customer's budget is used up")
        if is_used_up
        else _("%(percent)d %% of a customer's budget is used") % {"percent": alert.threshold}
    )
    return _to_partner(
        message,
        association,
        subject,
        threshold=alert.threshold,
        is_used_up=is_used_up,
        freezes=budget.on_exhaustion == OnExhaustion.FREEZE,
        used=Decimal(message.data["used"]),
        amount=budget.amount,
        resets_at=resets_at(budget, alert.alerted_at),
    )


def authorization_requested(message: OutboxMessage) -> Email:
    authorization = find_about(message, _AUTHORIZATIONS.all())
    association = authorization.association
    if association.ended_at is not None or authorization.state != AuthorizationState.REQUESTED:
        raise Stale("already answered")
    subject = _("%(partner)s asks for your authorization")
    return _to_customer(
        message,
        association,
        subject,
        authorization_url=absolute_url("my_authorization"),
    )


def authorization_decided(message: OutboxMessage) -> Email:
    """Stale when the state is not `data["state"]` any more."""
    authorization = find_about(message, _AUTHORIZATIONS.all())
    state = authorization.state
    if message.data.get("state", state) != state:
        raise Stale("decided otherwise since")
    subjects = {
        "granted": _("A customer has given you the authorization"),
        "declined": _("A customer has declined the authorization"),
        "revoked": _("A customer has revoked the authorization"),
    }
    if state not in subjects:
        raise Stale("not decided")
    return _to_partner(
        message,
        authorization.association,
        subjects[state],
        state=state,
        reason_lines=authorization.reason.splitlines(),
    )


def budget_requested(message: OutboxMessage) -> Email:
    """Tell the partner what a frozen customer asks for. Stale when it would not help any more."""
    asked = find_about(
        message,
        BudgetRequest.objects.select_related("association__partner", "association__account__owner"),
    )
    association = asked.association
    if association.ended_at is not None:
        raise Stale("association ended")
    if asked.asked_for not in {row.action for row in find_advice(association.account, association)}:
        raise Stale("answered already")
    subjects = {
        FrozenAction.SET_BUDGET: _("A customer asks for a budget"),
        FrozenAction.UNFREEZE: _("A customer asks you to unfreeze the account"),
        FrozenAction.RAISE_BUDGET: _("A customer asks you to raise the budget"),
    }
    return _to_partner(
        message,
        association,
        subjects[FrozenAction(asked.asked_for)],
        asked_at=asked.asked_at,
        asked_for=asked.asked_for,
    )


def end_requested(message: OutboxMessage) -> Email:
    """Tell the customer that the partner asks to end. Stale when the request is answered."""
    asked = _find_open_end_request(message)
    subject = _("%(partner)s asks to end your association")
    return _to_customer(message, asked.association, subject, **_about_end_request(asked))


def customer_end_requested(message: OutboxMessage) -> Email:
    """Tell the partner that the customer asks to end. Stale when the request is answered."""
    asked = _find_open_end_request(message)
    subject = _("A customer asks to end the association")
    return _to_partner(message, asked.association, subject, **_about_end_request(asked))


def end_withdrawn(message: OutboxMessage) -> Email:
    asked = _find_end_request(message)
    subject = _("%(partner)s no longer asks to end your association")
    return _to_customer(message, asked.association, subject, **_about_end_request(asked))


def customer_end_withdrawn(message: OutboxMessage) -> Email:
    asked = _find_end_request(message)
    subject = _("A customer no longer asks to end the association")
    return _to_partner(message, asked.association, subject, **_about_end_request(asked))


def end_declined(message: OutboxMessage) -> Email:
    asked = _find_end_request(message)
    subject = _("Your association with %(partner)s does not end")
    about = _about_end_request(asked) | {"is_own": asked.asking_side == Side.CUSTOMER}
    return _to_customer(message, asked.association, subject, **about)


def customer_end_declined(message: OutboxMessage) -> Email:
    asked = _find_end_request(message)
    subject = _("The association with a customer does not end")
    about = _about_end_request(asked) | {"is_own": asked.asking_side == Side.PARTNER}
    return _to_partner(message, asked.association, subject, **about)


def ended(message: OutboxMessage) -> Email:
    association = find_about(message, _ASSOCIATIONS.all())
    subject = _("You are no longer a customer of %(partner)s")
    return _to_customer(message, association, subject, **_about_ending(association, Side.CUSTOMER))


def customer_ended(message: OutboxMessage) -> Email:
    association = find_about(message, _ASSOCIATIONS.all())
    subject = _("The association with a customer has ended")
    return _to_partner(message, association, subject, **_about_ending(association, Side.PARTNER))


def _find_end_request(message: OutboxMessage) -> EndRequest:
    return find_about(message, _END_REQUESTS.all())


def _find_open_end_request(message: OutboxMessage) -> EndRequest:
    asked = _find_end_request(message)
    if not asked.is_open:
        raise Stale("already answered")
    return asked


def _about_end_request(asked: EndRequest) -> dict[str, Any]:
    return {
        "asked": asked,
        "due_at": answer_is_due_at(asked),
        "reason_lines": asked.reason.splitlines(),
        "answer_lines": asked.answer_reason.splitlines(),
        "end_url": absolute_url("my_end"),
        "console_end_url": absolute_url("console_end", asked.association_id),
    }


def _about_ending(association: Association, reader: Side) -> dict[str, Any]:
    freezes = association.account.freezes.open().filter(cause=FreezeCause.ADMINISTRATOR)
    return {
        "who_ended": who_ended(association, reader=reader),
        "reason_lines": association.end_reason.splitlines(),
        "stays_frozen": freezes.exists(),
    }


def _find_unfinished_attempt(message: OutboxMessage) -> Attempt:
    attempt = find_about(
        message, Attempt.objects.select_related("invitation__partner", "account__owner")
    )
    if Association.objects.filter(attempt=attempt).exists():
        raise Stale("already associated")
    return attempt


def _to_customer(
    message: OutboxMessage, association: Association, subject: str, **context: Any
) -> Email:
    return render_email(
        message,
        template=message.kind.replace(".", "/"),
        subject=subject % {"partner": association.partner.name, "actor": context.get("actor")},
        context=_about_association(association) | context,
    )


def _to_partner(
    message: OutboxMessage, association: Association, subject: str, **context: Any
) -> Email:
    return render_for_partner(
        message,
        partner=association.partner,
        template=message.kind.replace(".", "/"),
        subject=subject,
        context=_about_association(association) | context,
    )


def _about_association(association: Association) -> dict[str, Any]:
    owner = association.account.owner
    return {
        "association": association,
        "partner": association.partner,
        "account_name": owner.account_name,
        "masked_address": mask_address(owner.email),
        "my_partner_url": absolute_url("my_partner"),
        "console_url": absolute_url("console_customer", association.pk),
    }

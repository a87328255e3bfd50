"""The e-mails about joining, to the customer and to the partner."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.enums import ResourceStatus
from association.emails.shared import ASSOCIATIONS, to_customer, to_partner
from association.models import Association, Attempt
from association.refusals import REFUSAL_TEXTS
from association.services.attempts import last_moment_to_associate
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about
from partners.emails import render_as_partner, render_for_partner
from web.email_addresses import mask_address


def associated(message: OutboxMessage) -> Email:
    association = find_about(message, ASSOCIATIONS.all())
    subject = (
        _("You have joined %(partner)s – your account is frozen for now")
        if association.is_reseller
        else _("You have joined %(partner)s")
    )
    return to_customer(message, association, subject)


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
    return render_as_partner(
        message,
        partner=partner,
        template="association/resume",
        subject=_("Finish joining %(partner)s") % {"partner": partner.name},
        context={
            "last_moment": last_moment,
            "resume_url": absolute_url("join_resume", attempt.pk),
        },
    )


def customer_waiting(message: OutboxMessage) -> Email:
    association = find_about(message, ASSOCIATIONS.all())
    if association.ended_at is not None:
        raise Stale("association ended")
    if association.budgets.current().exists():
        raise Stale("budget is set")
    resources = association.account.resources.exclude(status=ResourceStatus.RELEASED)
    subject = _("A new customer waits for a budget")
    return to_partner(message, association, subject, had_resources=resources.exists())


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


def _find_unfinished_attempt(message: OutboxMessage) -> Attempt:
    attempt = find_about(
        message, Attempt.objects.select_related("invitation__partner", "account__owner")
    )
    if Association.objects.filter(attempt=attempt).exists():
        raise Stale("already associated")
    return attempt

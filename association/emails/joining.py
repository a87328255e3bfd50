"""The e-mails about joining, to the customer and to the partner."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from association.emails.shared import ASSOCIATIONS, to_customer, to_partner
from association.models import Association, Attempt
from association.refusal_texts import REFUSAL_TEXTS, text_for_partner
from association.services.admission import refusals_ending_too_late
from association.services.attempts import last_moment_to_associate
from association.services.customer_names import person_behind
from association.services.facts import load_holdings
from association.services.last_day_reminders import LEAST_TIME
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about
from partners.emails import (
    PLACEHOLDER,
    render_as_partner,
    render_for_partner,
    render_to_invited,
    wanted_until_unsubscribed,
)
from partners.services.unsubscribe_links import url_with
from web.email_addresses import mask_address, mask_addresses


def associated(message: OutboxMessage) -> Email:
    """Tell the customer what is true now. Stale when the association has ended."""
    association = find_about(message, ASSOCIATIONS.all())
    if association.ended_at is not None:
        raise Stale("association ended")
    return write_associated(
        message,
        association,
        is_frozen=association.account.freezes.open().exists(),
        holdings=load_holdings(account=association.account, now=timezone.now()),
    )


def write_associated(
    message: OutboxMessage,
    association: Association,
    *,
    is_frozen: bool,
    holdings: Mapping[str, int | Decimal],
) -> Email:
    """Write `associated()` for an account with these `load_holdings()`, frozen or not."""
    subject = (
        _("You have joined %(partner)s – your account is frozen for now")
        if is_frozen
        else _("You have joined %(partner)s")
    )
    return to_customer(message, association, subject, is_frozen=is_frozen, holdings=holdings)


def resume(message: OutboxMessage) -> Email:
    """Lead a customer who enables later back to the attempt. Stale when joining is not possible."""
    attempt, context = _resumable(message, time_needed=timedelta(0))
    return _write_resume(message, attempt, _("Finish joining %(partner)s"), context)


def resume_reminder(message: OutboxMessage) -> Email:
    """Remind the customer of the last day. Stale also when too little of it is left."""
    attempt, context = _resumable(message, time_needed=LEAST_TIME)
    return _write_resume(message, attempt, _("The last day to join %(partner)s"), context)


def reminder(message: OutboxMessage) -> Email:
    """Remind the customer because a member of the partner asked for it. Stale as `resume()`."""
    attempt, context = _resumable(message, time_needed=timedelta(0))
    partner = attempt.invitation.partner
    unsubscribe_url = wanted_until_unsubscribed(address=message.recipient, partner=partner)
    return _write_reminder(message, attempt, context, unsubscribe_url)


def preview_reminder(attempt: Attempt) -> Email:
    """Write what the worker would send now, but with `PLACEHOLDER` in the reader's own link."""
    message = OutboxMessage(kind="association.reminder", language=attempt.language)
    last_moment = last_moment_to_associate(attempt)
    with translation.override(attempt.language):
        context = _resume_context(attempt, last_moment)
        return _write_reminder(message, attempt, context, url_with(PLACEHOLDER))


def _write_reminder(
    message: OutboxMessage, attempt: Attempt, context: dict[str, object], unsubscribe_url: str
) -> Email:
    return render_to_invited(
        message,
        partner=attempt.invitation.partner,
        subject=_("%(partner)s reminds you to finish joining"),
        context=context,
        unsubscribe_url=unsubscribe_url,
    )


def _resume_context(attempt: Attempt, last_moment: datetime | None) -> dict[str, object]:
    return {"last_moment": last_moment, "resume_url": absolute_url("join_resume", attempt.pk)}


def _resumable(
    message: OutboxMessage, *, time_needed: timedelta
) -> tuple[Attempt, dict[str, object]]:
    """Return the attempt, and what the e-mails that lead back to it say."""
    attempt, now = find_unfinished_attempt(message), timezone.now()
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        raise Stale(refusal)
    last_moment = last_moment_to_associate(attempt)
    if last_moment is None or now + time_needed > last_moment:
        raise Stale("too late to join")
    return attempt, _resume_context(attempt, last_moment)


def _write_resume(
    message: OutboxMessage, attempt: Attempt, subject: str, context: Mapping[str, object]
) -> Email:
    partner = attempt.invitation.partner
    return render_as_partner(
        message,
        partner=partner,
        template=message.kind.replace(".", "/"),
        subject=subject % {"partner": partner.name},
        context=context,
    )


def customer_waiting(message: OutboxMessage) -> Email:
    association = find_about(message, ASSOCIATIONS.all())
    if association.ended_at is not None:
        raise Stale("association ended")
    if association.budgets.current().exists():
        raise Stale("budget is set")
    subject = _("A new customer waits for a budget")
    had_resources = association.account.resources.existing().exists()
    return to_partner(message, association, subject, had_resources=had_resources)


def customer_refused(message: OutboxMessage) -> Email:
    """Tell the partner why a customer could not join; written only when the customer asks for it.

    `data["codes"]` has the refusal codes. The text has neither amounts nor names of other partners.
    """
    attempt = find_unfinished_attempt(message)
    codes = [code for code in message.data.get("codes", ()) if code in REFUSAL_TEXTS]
    if not codes:
        raise Stale("without a reason")
    too_late = refusals_ending_too_late(attempt, timezone.now())
    owner = attempt.account.owner if attempt.account is not None else None
    return render_for_partner(
        message,
        partner=attempt.invitation.partner,
        template="association/customer_refused",
        subject=_("A customer could not join"),
        context={
            "label": mask_addresses(attempt.invitation.label),
            "customer": person_behind(attempt),
            "masked_address": mask_address(owner.email) if owner else "",
            "refusals": [text_for_partner(code, ends_too_late=code in too_late) for code in codes],
            "console_url": absolute_url("console_attempt", attempt.pk),
        },
    )


def find_unfinished_attempt(message: OutboxMessage) -> Attempt:
    attempt = find_about(
        message, Attempt.objects.select_related("invitation__partner", "account__owner")
    )
    if Association.objects.filter(attempt=attempt).exists():
        raise Stale("already associated")
    return attempt

"""The e-mails about ending an association: requests, their answers, and the end itself."""

from typing import Any

from django.utils.translation import gettext as _

from association.emails.shared import ASSOCIATIONS, to_customer, to_partner
from association.ending_words import who_ended
from association.enums import EndAnswer, Side
from association.models import Association, EndRequest
from association.services.endings import answer_is_due_at, freezes_after
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about

_END_REQUESTS = EndRequest.objects.select_related(
    "association__partner", "association__account__owner"
)


def end_requested(message: OutboxMessage) -> Email:
    """Tell the customer that the partner asks to end. Stale when the request is answered."""
    end_request = _find_open_end_request(message)
    subject = _("%(partner)s asks to end your association")
    return to_customer(message, end_request.association, subject, **_about_end_request(end_request))


def customer_end_requested(message: OutboxMessage) -> Email:
    """Tell the partner that the customer asks to end. Stale when the request is answered."""
    end_request = _find_open_end_request(message)
    subject = _("A customer asks to end the association")
    return to_partner(message, end_request.association, subject, **_about_end_request(end_request))


def end_withdrawn(message: OutboxMessage) -> Email:
    """Tell the customer, who was told of the partner's request, that it is withdrawn."""
    end_request = _find_withdrawn(message)
    subject = _("%(partner)s no longer asks to end your association")
    return to_customer(message, end_request.association, subject, **_about_end_request(end_request))


def customer_end_withdrawn(message: OutboxMessage) -> Email:
    """Tell the partner, as `end_withdrawn()` tells the customer."""
    end_request = _find_withdrawn(message)
    subject = _("A customer no longer asks to end the association")
    return to_partner(message, end_request.association, subject, **_about_end_request(end_request))


def end_declined(message: OutboxMessage) -> Email:
    """Tell the customer, who asked or hears that the provider declined the partner's request."""
    end_request = _find_answered(message, EndAnswer.DECLINED)
    subject = _("Your association with %(partner)s does not end")
    return to_customer(
        message,
        end_request.association,
        subject,
        by_provider=end_request.answering_side == Side.PROVIDER,
        is_own=end_request.asking_side == Side.CUSTOMER,
        **_about_end_request(end_request),
    )


def customer_end_declined(message: OutboxMessage) -> Email:
    """Tell the partner, as `end_declined()` tells the customer."""
    end_request = _find_answered(message, EndAnswer.DECLINED)
    subject = _("The association with a customer does not end")
    is_own = end_request.asking_side == Side.PARTNER
    return to_partner(
        message, end_request.association, subject, is_own=is_own, **_about_end_request(end_request)
    )


def ended(message: OutboxMessage) -> Email:
    """Tell the customer that it has ended; the provider does, whose customer the reader is now."""
    association = find_about(message, ASSOCIATIONS.all())
    subject = _("You are no longer a customer of %(partner)s")
    about = _about_ending(association, Side.CUSTOMER)
    return to_customer(message, association, subject, by_provider=True, **about)


def customer_ended(message: OutboxMessage) -> Email:
    association = find_about(message, ASSOCIATIONS.all())
    subject = _("The association with a customer has ended")
    return to_partner(message, association, subject, **_about_ending(association, Side.PARTNER))


def _find_end_request(message: OutboxMessage) -> EndRequest:
    return find_about(message, _END_REQUESTS.all())


def _find_open_end_request(message: OutboxMessage) -> EndRequest:
    end_request = _find_end_request(message)
    if not end_request.is_open:
        raise Stale("already answered")
    return end_request


def _find_answered(message: OutboxMessage, answer: EndAnswer) -> EndRequest:
    """Return the request with this answer. Stale when the association has ended since."""
    end_request = _find_end_request(message)
    if end_request.association.has_ended:
        raise Stale("association ended")
    if end_request.answer != answer:
        raise Stale("answered otherwise")
    return end_request


def _find_withdrawn(message: OutboxMessage) -> EndRequest:
    """Return the request that was withdrawn.

    Stale also when the reader was never told of it, or when the same side has asked again.
    """
    end_request = _find_answered(message, EndAnswer.WITHDRAWN)
    unsent = OutboxMessage.objects.filter(
        kind=message.kind.replace("withdrawn", "requested"),
        about_label=message.about_label,
        about_id=message.about_id,
        recipient=message.recipient,
        sent_at__isnull=True,
    )
    if unsent.exists():
        raise Stale("request was not sent")
    asked = end_request.association.end_requests.open()
    if asked.filter(asking_side=end_request.asking_side).exists():
        raise Stale("asked again")
    return end_request


def _about_end_request(end_request: EndRequest) -> dict[str, Any]:
    return {
        "asked": end_request,
        "due_at": answer_is_due_at(end_request),
        "reason_lines": end_request.reason.splitlines(),
        "answer_lines": end_request.answer_reason.splitlines(),
        "end_url": absolute_url("my_end"),
        "console_end_url": absolute_url("console_end", end_request.association_id),
    }


def _about_ending(association: Association, reader: Side) -> dict[str, Any]:
    frozen = freezes_after(association)
    agreed = association.end_requests.filter(answer=EndAnswer.AGREED).first()
    return {
        "who_ended": who_ended(association, reader=reader),
        "reason_lines": association.end_reason.splitlines(),
        "answer_lines": agreed.answer_reason.splitlines() if agreed else [],
        "stays_frozen": frozen.stays_frozen,
        "was_unfrozen": frozen.was_unfrozen,
        # The end has replaced the budget and revoked the authorization that were in force.
        "had_budget": association.budgets.exists(),
        "had_authorization": association.authorizations.filter(
            revoked_at__gte=association.ended_at
        ).exists(),
    }

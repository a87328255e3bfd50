"""The e-mail to somebody who was refused: why, and what helps; a member of the partner sends it."""

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from association.emails.joining import find_unfinished_attempt
from association.enums import FOR_GOOD, Operation, RefusalCode
from association.models import Attempt
from association.refusal_texts import INVITATION_TEXTS, customer_reason
from association.services.admission import refusals_ending_too_late
from association.services.following_up import joined_meanwhile, suggested_operation
from association.ways_out import way_as_text, way_out
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale
from partners.emails import PLACEHOLDER, render_to_invited, wanted_until_unsubscribed
from partners.services.unsubscribe_links import url_with

# The operations whose refusals the customer can also do something about.
FOR_THE_CUSTOMER = {
    Operation.MESSAGE_CUSTOMER,
    Operation.OFFER_REFERRAL,
    Operation.SEND_TO_OTHER_ADDRESS,
}


# Here no new account helps. After the other refusals for good one can follow an unbound invitation.
_OF_ANOTHER_KIND = {RefusalCode.IS_PARTNER, RefusalCode.INTERNAL_ACCOUNT}
# The customer can only wait for the end of these.
_ENDS_BY_ITSELF = {RefusalCode.SPECIAL_CONTRACT, RefusalCode.PROFESSIONAL_SERVICES_CONTRACT}


def advice(message: OutboxMessage) -> Email:
    """Write the reasons and the ways out. Stale when nothing helps, or the partner is frozen."""
    attempt = find_unfinished_attempt(message)
    partner = attempt.invitation.partner
    if attempt.refused_at is None:
        raise Stale("not refused any more")
    if joined_meanwhile([attempt]):
        raise Stale("joined by another way")
    if partner.is_frozen:
        raise Stale("partner frozen")
    return _write(
        message, attempt, wanted_until_unsubscribed(address=message.recipient, partner=partner)
    )


def preview_advice(attempt: Attempt) -> Email:
    """Write what the worker would send now, but with `PLACEHOLDER` in the reader's own link."""
    message = OutboxMessage(kind="association.advice", language=attempt.language)
    with translation.override(attempt.language):
        return _write(message, attempt, url_with(PLACEHOLDER))


def _write(message: OutboxMessage, attempt: Attempt, unsubscribe_url: str) -> Email:
    return render_to_invited(
        message,
        partner=attempt.invitation.partner,
        subject=_("About joining %(partner)s"),
        context={"paragraphs": paragraphs_of(attempt)},
        unsubscribe_url=unsubscribe_url,
    )


def message_to_customer(attempt: Attempt) -> str:
    """Return the same as a text that the partner can send by itself, in the attempt's language."""
    partner = attempt.invitation.partner
    with translation.override(attempt.language):
        hello, regards = _("Hello,"), _("Kind regards\n%(partner)s") % {"partner": partner.name}
        return "\n\n".join([hello, *paragraphs_of(attempt), regards])


def paragraphs_of(attempt: Attempt) -> list[str]:
    """Return what is said to the customer; no amount, and no other partner's name."""
    partner, is_bound = attempt.invitation.partner, attempt.invitation.is_bound
    opening = _(
        "you wanted to join %(partner)s with your account %(account)s at %(provider)s. "
        "That is not possible:"
    ) % {
        "partner": partner.name,
        "account": attempt.account.owner.account_name if attempt.account else "",
        "provider": settings.PROVIDER_NAME,
    }
    too_late = refusals_ending_too_late(attempt, timezone.now())
    ways = {
        code: way_out(code, is_bound=is_bound, ends_too_late=code in too_late)
        for code in attempt.refusal_codes
        if suggested_operation(code) in FOR_THE_CUSTOMER
    }
    reasons = [
        f"- {customer_reason(code)} {way_as_text(way, partner)}" for code, way in ways.items()
    ]
    return [opening, "\n".join(reasons), _closing(attempt, too_late)]


def _closing(attempt: Attempt, too_late: frozenset[RefusalCode]) -> str:
    """Return the last sentence: the link to the invitation only if it can be of use again."""
    invitation, codes = attempt.invitation, set(attempt.refusal_codes)
    values = {"address": invitation.partner.support_email, "link": invitation.link}
    stays = codes & (FOR_GOOD if invitation.is_bound else _OF_ANOTHER_KIND)
    if stays or codes & _ENDS_BY_ITSELF & too_late:
        return _("If you have a question, write to %(address)s.") % values
    if codes & INVITATION_TEXTS.keys():
        return _("Then write to %(address)s, and ask for another invitation.") % values
    return _("Then open your invitation again:\n%(link)s") % values

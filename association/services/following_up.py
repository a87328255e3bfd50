"""What a partner does about a refused attempt: send again, or invite the account by e-mail."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import OutboxMessage, User
from association.enums import Operation, RefusalCode
from association.models import Attempt
from association.services.attempts import lock_unfinished
from association.services.eligibility import BOTH, RULES
from association.services.refusal_texts import (
    INVITATION_TEXTS,
    REFUSAL_TEXTS,
    customer_reason,
    way_out,
)
from partners.models import AssociationType, Channel, Invitation, PartnerStatus
from partners.models.invitations import InvitationQuerySet
from partners.services.invitations import create_invitation, resend_invitation
from partners.services.requests import answer_request, close_as_answered

# The same act again within this time is a double click: it has been done.
AGAIN = timedelta(minutes=5)
BLOCKS_BOTH = frozenset(rule.code for rule in RULES if rule.association_types == BOTH)
SENDING = frozenset({Operation.RESEND, Operation.OFFER_REFERRAL, Operation.SEND_ONLINE_INVITATION})
# What the customer can do something about, too.
UP_TO_THE_CUSTOMER = frozenset({Operation.MESSAGE_CUSTOMER, Operation.OFFER_REFERRAL})
# What does not pass and cannot be undone: the same account is refused for good.
NOTHING_HELPS = frozenset(
    {
        RefusalCode.REGISTERED_TOO_LONG,
        RefusalCode.CASH_EXPENDITURE,
        RefusalCode.IS_PARTNER,
        RefusalCode.INTERNAL_ACCOUNT,
    }
)
OTHER_TYPE = {
    AssociationType.RESELLER.value: AssociationType.REFERRAL.value,
    AssociationType.REFERRAL.value: AssociationType.RESELLER.value,
}


class NotPossible(Exception):
    """The operation is not, or no longer, one that helps this attempt."""

    code = "not_possible"


def operation_for(attempt: Attempt, code: str) -> Operation | None:
    """Return what the member can do about one refusal of the attempt, or None.

    As the catalogue suggests; where that cannot be done, the next best. The referral type is
    offered where the partner has it and nothing refuses it too. Account, invitation and partner
    must be loaded.
    """
    suggested = REFUSAL_TEXTS[code].operation
    invitation = attempt.invitation
    if suggested == Operation.RESEND and invitation.channel != Channel.EMAIL:
        suggested = Operation.SEND_ONLINE_INVITATION
    if suggested in {None, Operation.RESEND, Operation.MESSAGE_CUSTOMER}:
        return suggested
    may_invite = (
        attempt.account_id is not None
        and invitation.partner.status == PartnerStatus.NORMAL
        and invitation.partner.allows(_type_to_offer(attempt, suggested))
    )
    if suggested == Operation.SEND_ONLINE_INVITATION:
        return suggested if may_invite else None
    is_blocked = BLOCKS_BOTH & set(attempt.refusal_codes)
    return Operation.MESSAGE_CUSTOMER if is_blocked or not may_invite else suggested


def operations_for(attempt: Attempt) -> dict[str, Operation | None]:
    """Return for each refusal of the attempt what can be done about it."""
    return {code: operation_for(attempt, code) for code in attempt.refusal_codes}


def follow_up(*, attempt: Attempt, operation: str, by: User, now: datetime) -> Invitation:
    """Send what the operation means to the attempt's account, and return that invitation.

    An open request of theirs is answered by it. Doing it again within five minutes sends nothing:
    `mailed_at` is `now` only when it was sent. The address is never shown. Raises NotPossible,
    Refused when it is finished, and InvitationNotSaved as the services it calls do.
    """
    with transaction.atomic():
        attempt.refusal_codes = lock_unfinished(attempt).refusal_codes
        if operation not in set(operations_for(attempt).values()):
            raise NotPossible
        if operation == Operation.RESEND:
            return _resend(attempt.invitation, by, now)
        if operation in {Operation.OFFER_REFERRAL, Operation.SEND_ONLINE_INVITATION}:
            return _invite(attempt, _type_to_offer(attempt, operation), by, now)
        raise NotPossible


def sent_since(*, attempt: Attempt, now: datetime) -> dict[str, Invitation]:
    """Return by operation the newest live invitation that was sent so since the attempt began.

    One statement for each that invites the account. Account, invitation and partner must be loaded.
    """
    followed, began_at = attempt.invitation, attempt.started_at
    found: dict[str, Invitation] = {}
    for operation in SENDING & set(operations_for(attempt).values()):
        if operation != Operation.RESEND:
            rows = _invitations_sent(attempt, _type_to_offer(attempt, operation), now)
            sent = rows.filter(mailed_at__gt=began_at).first()
        elif followed.mailed_at and followed.mailed_at > began_at and not followed.refusal(now):
            sent = followed
        else:
            sent = None
        if sent is not None:
            found[operation] = sent
    return found


def message_to_customer(attempt: Attempt) -> str:
    """Return a message for the partner to send: why not, and the way out, in their language.

    It holds no amount and no name of another partner, for nothing of the kind is filled in.
    """
    with override(attempt.language):
        greeting = _(
            "Hello,\n\nyou wanted to join %(partner)s with your account %(account)s at "
            "%(provider)s. That is not possible:"
        ) % {
            "partner": attempt.invitation.partner.name,
            "account": attempt.account.owner.account_name if attempt.account else "",
            "provider": settings.PROVIDER_NAME,
        }
        reasons = [
            f"- {customer_reason(code)} {way_out(code)}"
            for code in attempt.refusal_codes
            if REFUSAL_TEXTS[code].operation in UP_TO_THE_CUSTOMER
        ]
        closing = _closing(attempt)
        regards = _("Kind regards\n%(partner)s") % {"partner": attempt.invitation.partner.name}
        return "\n\n".join([greeting, "\n".join(reasons), closing, regards])


def _closing(attempt: Attempt) -> str:
    """Return where the message leads: back to the invitation only if that can help."""
    invitation, codes = attempt.invitation, set(attempt.refusal_codes)
    said = {"address": invitation.partner.support_email, "link": invitation.link}
    if NOTHING_HELPS & codes:
        return _("If you have a question, write to %(address)s.") % said
    if codes & INVITATION_TEXTS.keys():
        return _("Then write to %(address)s, and ask for another invitation.") % said
    return _("Then open your invitation again:\n%(link)s") % said


def _type_to_offer(attempt: Attempt, operation: str) -> str:
    if operation == Operation.OFFER_REFERRAL:
        return AssociationType.REFERRAL
    followed = attempt.invitation.association_type
    if RefusalCode.TYPE_NOT_ALLOWED in attempt.refusal_codes:
        return OTHER_TYPE[followed]
    return followed


def _resend(invitation: Invitation, by: User, now: datetime) -> Invitation:
    mails = OutboxMessage.objects.filter(
        about_label=invitation._meta.label_lower,
        about_id=str(invitation.pk),
        created_at__gt=now - AGAIN,
    )
    if mails.exists():
        return invitation
    return resend_invitation(invitation=invitation, by=by, now=now)


def _invitations_sent(attempt: Attempt, association_type: str, now: datetime) -> InvitationQuerySet:
    """Return the partner's live invitations that were mailed to the account, newest first."""
    if attempt.account is None:
        raise NotPossible
    rows = attempt.invitation.partner.invitations.live(now).filter(
        channel=Channel.EMAIL,
        association_type=association_type,
        recipient=attempt.account.owner.email,
        mailed_at__isnull=False,
    )
    return rows.order_by("-mailed_at", "-pk")


def _invite(attempt: Attempt, association_type: str, by: User, now: datetime) -> Invitation:
    """Send it unless that was done a moment ago, and close the open request of the address."""
    if attempt.account is None:
        raise NotPossible
    followed, recipient = attempt.invitation, attempt.account.owner.email
    asked = followed.partner.invitation_requests.open().filter(address=recipient)
    # Locked: whoever answers or dismisses it at the same time has done so, or waits.
    request = asked.select_for_update().first()
    rows = _invitations_sent(attempt, association_type, now)
    sent = rows.filter(mailed_at__gt=now - AGAIN).first()
    if sent is None and request and request.invitation.association_type == association_type:
        return answer_request(request=request, by=by, now=now)
    if sent is None:
        sent = _create(attempt, recipient, association_type, by, now)
    if request is not None:
        close_as_answered(request=request, sent=sent, by=by, now=now)
    return sent


def _create(
    attempt: Attempt, recipient: str, association_type: str, by: User, now: datetime
) -> Invitation:
    followed = attempt.invitation
    return create_invitation(
        partner=followed.partner,
        channel=Channel.EMAIL,
        association_type=association_type,
        label=followed.label,
        language=attempt.language,
        country=str(followed.country),
        recipient=recipient,
        by=by,
        now=now,
    )

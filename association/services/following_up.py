"""What a partner can do about a refused attempt: send again, or invite the account by e-mail."""

from collections.abc import Collection, Mapping
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import User
from association.enums import FOR_GOOD, AssociationRefusal, Operation, RefusalCode
from association.models import Association, Attempt
from association.services.attempts import lock_unfinished
from association.services.eligibility import BOTH, RULES
from partners.enums import AssociationType, Channel, PartnerStatus
from partners.models import Invitation
from partners.services.invitation_drafts import draft_invitation
from partners.services.invitation_requests import (
    answer_invitation_request,
    close_as_answered,
    terms_of_answer,
)
from partners.services.invitations import (
    create_invitation,
    expiry_when_resent,
    resend_invitation,
)
from web.refused import Refused
from web.transactions import whole_transaction

BLOCKS_BOTH = frozenset(rule.code for rule in RULES if rule.association_types == BOTH)
SENDING = frozenset({Operation.RESEND, Operation.OFFER_REFERRAL, Operation.SEND_ONLINE_INVITATION})
# What helps against a refusal, where a message to the customer is not all that does.
SUGGESTED: Mapping[str, Operation | None] = {
    RefusalCode.CHINESE_MAINLAND_SITE: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.REGISTERED_TOO_LONG: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.CASH_EXPENDITURE: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: Operation.OFFER_REFERRAL,
    RefusalCode.RESERVED_INSTANCES: Operation.OFFER_REFERRAL,
    RefusalCode.ENTERPRISE_MEMBER: Operation.OFFER_REFERRAL,
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: Operation.OFFER_REFERRAL,
    RefusalCode.IS_PARTNER: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.INTERNAL_ACCOUNT: Operation.SEND_TO_OTHER_ADDRESS,
    RefusalCode.INVITATION_UNKNOWN: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.INVITATION_EXPIRED: Operation.RESEND,
    RefusalCode.INVITATION_USED_UP: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.INVITATION_REVOKED: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.PARTNER_UNAVAILABLE: None,
    RefusalCode.TYPE_NOT_ALLOWED: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.WRONG_RECIPIENT: Operation.SEND_ONLINE_INVITATION,
    RefusalCode.EMAIL_DOMAIN_NOT_ALLOWED: Operation.SEND_ONLINE_INVITATION,
}


def suggested_operation(code: str) -> Operation | None:
    """Return what helps against a refusal; an attempt may not allow it."""
    return SUGGESTED.get(code, Operation.MESSAGE_CUSTOMER)


def operation_for(attempt: Attempt, code: str) -> Operation | None:
    """Return what the member can do about one refusal of the attempt, or None.

    The one that SUGGESTED names; where it is not possible, the next best. A frozen partner sends
    nothing. The referral type is offered when the partner may use it and no refusal applies to it
    too. Account, invitation and partner must be loaded.
    """
    suggested = suggested_operation(code)
    invitation = attempt.invitation
    if suggested == Operation.RESEND and invitation.channel != Channel.EMAIL:
        suggested = Operation.SEND_ONLINE_INVITATION
    if suggested == Operation.SEND_ONLINE_INVITATION and FOR_GOOD & set(attempt.refusal_codes):
        # No invitation helps this account.
        suggested = Operation.MESSAGE_CUSTOMER
    if suggested == Operation.SEND_TO_OTHER_ADDRESS and not invitation.is_bound:
        # The same invitation serves a new account.
        suggested = Operation.MESSAGE_CUSTOMER
    if suggested == Operation.RESEND and invitation.partner.is_frozen:
        return None
    if suggested in {None, Operation.RESEND, Operation.MESSAGE_CUSTOMER}:
        return suggested
    may_invite = (
        attempt.account_id is not None
        and invitation.partner.status == PartnerStatus.NORMAL
        and invitation.partner.allows(_type_to_offer(attempt, suggested))
    )
    if suggested == Operation.SEND_ONLINE_INVITATION:
        return suggested if may_invite else None
    if suggested == Operation.SEND_TO_OTHER_ADDRESS:
        return suggested if may_invite else Operation.MESSAGE_CUSTOMER
    is_blocked = BLOCKS_BOTH & set(attempt.refusal_codes)
    return Operation.MESSAGE_CUSTOMER if is_blocked or not may_invite else suggested


def operations_for(attempt: Attempt) -> dict[str, Operation | None]:
    """Return `operation_for()` of each refusal of the attempt."""
    return {code: operation_for(attempt, code) for code in attempt.refusal_codes}


def joined_meanwhile(attempts: Collection[Attempt]) -> set[UUID]:
    """Return the attempts whose accounts are customers by another way: nothing helps them to join.

    Left out is who was refused as another partner's customer, and is one still. One statement.
    """
    accounts = {attempt.account_id for attempt in attempts if attempt.account_id}
    in_force = Association.objects.in_force().filter(account__in=accounts)
    partners = dict(in_force.values_list("account", "partner"))
    return {
        attempt.pk
        for attempt in attempts
        if attempt.account_id in partners
        and (
            partners[attempt.account_id] == attempt.partner_id
            or RefusalCode.OTHER_PARTNER not in attempt.refusal_codes
        )
    }


@whole_transaction
def follow_up(*, attempt: Attempt, operation: str, by: User, now: datetime) -> Invitation:
    """Send an invitation to the attempt's account and return it.

    Its `mailed_at` is `now`, unless it `is_withheld`. While an invitation that the operation sent
    since the attempt began is live, that one is returned and nothing is sent. An open request of
    the same address is answered. Locks the attempt. Raises Refused: NOT_POSSIBLE; and what
    `lock_unfinished()` and the services of invitations raise.
    """
    with transaction.atomic():
        attempt.refusal_codes = lock_unfinished(attempt).refusal_codes
        is_possible = operation in SENDING & set(operations_for(attempt).values())
        if not is_possible or joined_meanwhile([attempt]):
            raise Refused(AssociationRefusal.NOT_POSSIBLE)
        if operation != Operation.RESEND:
            return _invite(attempt, operation, by, now)
        sent = _sent_since_start(attempt, operation, (), now)
        return sent or resend_invitation(invitation=attempt.invitation, by=by, now=now)


def draft_to_send(attempt: Attempt, operation: str, *, now: datetime) -> Invitation | None:
    """Return what `follow_up()` would send now, to be previewed; None where it sends nothing."""
    if operation == Operation.RESEND:
        sent_again = copy(attempt.invitation)
        sent_again.expires_at = expiry_when_resent(sent_again, now)
        return sent_again
    if operation not in SENDING or attempt.account is None:
        return None
    partner, recipient = attempt.invitation.partner, attempt.account.owner.email
    association_type = _type_to_offer(attempt, operation)
    requests = partner.invitation_requests.open().filter(address=recipient)
    asked = requests.select_related("invitation").first()
    if asked is not None and asked.invitation.association_type == association_type:
        terms = terms_of_answer(asked)
    else:
        terms = _terms(attempt, association_type, recipient)
    return draft_invitation(partner=partner, now=now, **terms)


def sent_invitations(
    attempts: Collection[Attempt], *, now: datetime
) -> dict[UUID, dict[str, Invitation]]:
    """Return, by attempt and operation, the live invitation that was sent since the attempt began.

    The attempts are one partner's, with account, owner, invitation and partner loaded. One
    statement, none where no operation invites.
    """
    inviting = {attempt.pk: SENDING & set(operations_for(attempt).values()) for attempt in attempts}
    invited = [attempt for attempt in attempts if inviting[attempt.pk] - {Operation.RESEND}]
    sent = _sent_to(invited, now)
    found = {
        attempt.pk: {
            operation: _sent_since_start(attempt, operation, sent, now)
            for operation in inviting[attempt.pk]
        }
        for attempt in attempts
    }
    return {
        key: {operation: one for operation, one in by_operation.items() if one is not None}
        for key, by_operation in found.items()
    }


def _sent_to(attempts: Collection[Attempt], now: datetime) -> list[Invitation]:
    """Return the live invitations that were mailed to the attempts' accounts, the newest last."""
    if not attempts:
        return []
    rows = (
        next(iter(attempts))
        .invitation.partner.invitations.live(now)
        .filter(
            channel=Channel.EMAIL,
            recipient__in={attempt.account.owner.email for attempt in attempts if attempt.account},
            mailed_at__gt=min(attempt.started_at for attempt in attempts),
        )
    )
    return list(rows.order_by("mailed_at", "pk"))


def _sent_since_start(
    attempt: Attempt, operation: str, sent: Collection[Invitation], now: datetime
) -> Invitation | None:
    """Return what the operation sent, of `_sent_to()`; sending again sends the one followed."""
    if operation == Operation.RESEND:
        followed = attempt.invitation
        was_sent = followed.mailed_at is not None and followed.mailed_at > attempt.started_at
        return followed if was_sent and followed.refusal(now) is None else None
    if attempt.account is None:
        raise Refused(AssociationRefusal.NOT_POSSIBLE)
    address, offered = attempt.account.owner.email, _type_to_offer(attempt, operation)
    newest = None
    for invitation in sent:
        if (
            invitation.recipient == address
            and invitation.association_type == offered
            and invitation.mailed_at is not None
            and invitation.mailed_at > attempt.started_at
        ):
            newest = invitation
    return newest


def _type_to_offer(attempt: Attempt, operation: str) -> str:
    if operation == Operation.OFFER_REFERRAL:
        return AssociationType.REFERRAL
    followed = attempt.invitation.association_type
    if RefusalCode.TYPE_NOT_ALLOWED not in attempt.refusal_codes:
        return followed
    [other] = set(AssociationType.values) - {followed}
    return other


def _terms(attempt: Attempt, association_type: str, recipient: str) -> dict[str, Any]:
    """Return the fields of an invitation by e-mail like the followed one, in this language."""
    return {
        "channel": Channel.EMAIL,
        "association_type": association_type,
        "label": attempt.invitation.label,
        "language": attempt.language,
        "country": str(attempt.invitation.country),
        "recipient": recipient,
        "recipient_is_stored": True,
    }


def _invite(attempt: Attempt, operation: str, by: User, now: datetime) -> Invitation:
    """Send the invitation unless it was sent before, and close the open request of the address."""
    if attempt.account is None:
        raise Refused(AssociationRefusal.NOT_POSSIBLE)
    followed, recipient = attempt.invitation, attempt.account.owner.email
    association_type = _type_to_offer(attempt, operation)
    # Locked first: a colleague who answers or dismisses it at the same time has done so, or waits.
    requests = followed.partner.invitation_requests.open().filter(address=recipient)
    invitation_request = requests.select_for_update().first()
    sent = _sent_since_start(attempt, operation, _sent_to([attempt], now), now)
    if sent is None:
        if (
            invitation_request is not None
            and invitation_request.invitation.association_type == association_type
        ):
            return answer_invitation_request(invitation_request=invitation_request, by=by, now=now)
        sent = create_invitation(
            partner=followed.partner, by=by, now=now, **_terms(attempt, association_type, recipient)
        )
    if invitation_request is not None:
        close_as_answered(invitation_request=invitation_request, sent=sent, by=by, now=now)
    return sent

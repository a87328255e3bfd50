"""What members of a partner have e-mailed to people who are no customers yet: reminders, advice."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import CustomerAccount, User
from association.enums import AssociationRefusal, MessageKind, Operation
from association.models import Attempt, PartnerMessage
from association.services.admission import account_of
from association.services.attempts import last_moment_of, lock_with_account
from association.services.following_up import joined_meanwhile, operations_for
from association.services.last_day_reminders import resumable_attempts
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from outbox.services.suppression import is_suppressed
from partners.models import Partner
from web.refused import Refused
from web.transactions import whole_transaction

PAUSE = timedelta(hours=24)


@whole_transaction
def remind_to_finish(*, attempt: Attempt, by: User, now: datetime) -> None:
    """E-mail somebody who has put joining off the link back, and until when it can be used.

    Locks the attempt and its account. Raises Refused: NOT_POSSIBLE when there is nothing to finish
    any more, WRITTEN_TOO_OFTEN within 24 hours, EMAIL_UNWANTED, FINISHED.
    """
    with transaction.atomic():
        lock_with_account(attempt)
        if not resumable_attempts(now).filter(pk=attempt.pk).exists():
            raise Refused(AssociationRefusal.NOT_POSSIBLE)
        last_moment = last_moment_of(account_of(attempt))
        _write_to(attempt, MessageKind.REMINDER, by, now, deadline_at=last_moment)
        record_audit_event(action="attempt.reminded", about=attempt, by=by, now=now)


@whole_transaction
def advise(*, attempt: Attempt, by: User, now: datetime) -> bool:
    """E-mail a refused person why joining is not possible, and what helps.

    Returns False, and sends nothing, if that was done since the refusal. Locks the attempt and its
    account. Raises Refused: NOT_POSSIBLE when something else helps, when the account has joined by
    another way, and for a frozen partner; ADDRESS_UNKNOWN of an account that was erased;
    WRITTEN_TOO_OFTEN, EMAIL_UNWANTED, FINISHED.
    """
    with transaction.atomic():
        locked = lock_with_account(attempt)
        attempt.refusal_codes, attempt.refused_at = locked.refusal_codes, locked.refused_at
        is_frozen = attempt.invitation.partner.is_frozen
        is_possible = Operation.MESSAGE_CUSTOMER in operations_for(attempt).values()
        if is_frozen or not is_possible or joined_meanwhile([attempt]):
            raise Refused(AssociationRefusal.NOT_POSSIBLE)
        if advised_at(attempt, messages_about([attempt])) is not None:
            return False
        if not account_of(attempt).owner.is_active:
            raise Refused(AssociationRefusal.ADDRESS_UNKNOWN)
        _write_to(attempt, MessageKind.ADVICE, by, now)
        record_audit_event(action="attempt.advised", about=attempt, by=by, now=now)
    return True


def forget_undelivered_message(*, message: OutboxMessage) -> None:
    """Let the partner send again what will never arrive.

    The outbox calls it in the transaction that changes whether the message is undelivered. A later
    message of the kind stays known. One that is revived stays forgotten: at worst it is sent twice.
    """
    if OutboxMessage.objects.get(pk=message.pk).undelivered_at is not None:
        kind = message.kind.removeprefix("association.")
        sent = PartnerMessage.objects.filter(kind=kind, attempt=UUID(message.about_id))
        sent.filter(sent_at=message.created_at).delete()


def messages_about(attempts: Collection[Attempt]) -> list[PartnerMessage]:
    """Return the newest messages to the accounts of these attempts of one partner.

    One statement, none without accounts.
    """
    accounts = {attempt.account_id for attempt in attempts if attempt.account_id}
    if not accounts:
        return []
    partner = next(iter(attempts)).partner_id
    return list(PartnerMessage.objects.filter(partner=partner, account__in=accounts))


def advised_at(attempt: Attempt, messages: Collection[PartnerMessage]) -> datetime | None:
    """Return when advice about the present refusal was sent, of `messages_about()`."""
    return next(
        (
            message.sent_at
            for message in messages
            if message.kind == MessageKind.ADVICE
            and message.attempt_id == attempt.pk
            and attempt.refused_at is not None
            and message.sent_at >= attempt.refused_at
        ),
        None,
    )


def reminded_at(attempt: Attempt, messages: Collection[PartnerMessage]) -> datetime | None:
    """Return when the attempt's account was reminded last, of `messages_about()`."""
    return next(
        (
            message.sent_at
            for message in messages
            if message.kind == MessageKind.REMINDER and message.account_id == attempt.account_id
        ),
        None,
    )


def _write_to(
    attempt: Attempt,
    kind: MessageKind,
    by: User,
    now: datetime,
    *,
    deadline_at: datetime | None = None,
) -> None:
    """Enqueue the e-mail to the locked account, and note that it was sent, if that may be."""
    account, partner = account_of(attempt), attempt.invitation.partner
    if is_suppressed(address=account.owner.email, sender=partner):
        raise Refused(AssociationRefusal.EMAIL_UNWANTED)
    written = {"attempt": attempt, "sent_at": now, "sent_by": by}
    newest, is_first = _newest(partner, account, kind, written)
    if not is_first:
        again_at = newest.sent_at + PAUSE
        if now < again_at:
            raise Refused(AssociationRefusal.WRITTEN_TOO_OFTEN, again_at=again_at)
        PartnerMessage.objects.filter(pk=newest.pk).update(**written)
    message = OutgoingMessage(
        f"association.{kind}",
        account.owner.email,
        attempt,
        attempt.language,
        deadline_at=deadline_at,
    )
    enqueue_messages(messages=[message], now=now)


def _newest(
    partner: Partner, account: CustomerAccount, kind: MessageKind, written: dict[str, Any]
) -> tuple[PartnerMessage, bool]:
    """Return the newest message of the kind, and whether it is the one written now."""
    return PartnerMessage.objects.get_or_create(
        partner=partner, account=account, kind=kind, defaults=written
    )

"""Setting another password, and warning a user whose password someone keeps guessing."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import User
from accounts.services.codes import Proof, check_code, spend_code, was_spent
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.locks import lock_name
from web.refused import Refused, forget_refusal
from web.transactions import whole_transaction

PAUSE_BETWEEN_WARNINGS = timedelta(hours=1)
_FAILED_LOGINS = "accounts.failed_logins"


@whole_transaction
def change_password(*, user: User, password: str, by: User, now: datetime) -> User:
    """Set a password that has passed the policy; every session ends, and an e-mail reports it."""
    # Outside of the transaction: it may have to wait for its turn.
    password_hash = make_password(password)
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        _write_password(locked, password_hash, "user.password_changed", by, now)
    return locked


def reset_password(*, email: str, flow: str, code: str, password: str, now: datetime) -> User:
    """Set the password of the active user whose canonical e-mail address the code proves.

    The address counts as verified from then on, and every session of the user ends. The same
    password sent again in this flow returns the user and writes nothing. Call it outside every
    transaction, as `check_code()`. Raises Refused with a CodeRefusal.
    """
    purpose = CodePurpose.RESET_PASSWORD
    try:
        proof = check_code(email=email, purpose=purpose, flow=flow, code=code, now=now)
        return _spend_code_and_reset(proof, make_password(password), now)
    except Refused:
        # The code is bound to the old password, so after the first of two clicks it is wrong.
        user = User.objects.filter(email=email, is_active=True).first()
        spent = was_spent(email=email, purpose=purpose, flow=flow, now=now)
        if user is None or not spent or not user.check_password(password):
            raise
        forget_refusal()
        return user


@whole_transaction
def warn_of_failed_logins(*, user: User, now: datetime) -> bool:
    """Enqueue an e-mail about failed log-ins, at most one per hour; return whether it was."""
    with transaction.atomic():
        lock_name(f"{_FAILED_LOGINS}:{user.pk}")
        warned = OutboxMessage.objects.filter(
            kind=_FAILED_LOGINS,
            about_label=user._meta.label_lower,
            about_id=str(user.pk),
            created_at__gt=now - PAUSE_BETWEEN_WARNINGS,
        )
        if warned.exists():
            return False
        # An erasure that was waited for has put a pseudonym in the user's place.
        active = User.objects.select_for_update(no_key=True).filter(is_active=True)
        locked = active.filter(pk=user.pk).first()
        if locked is None:
            return False
        data, deadline = {"noticed_at": now}, now + PAUSE_BETWEEN_WARNINGS
        outgoing = OutgoingMessage(
            _FAILED_LOGINS, locked.email, locked, locked.language, data, deadline_at=deadline
        )
        enqueue_messages(messages=[outgoing], now=now)
        return True


@whole_transaction
def _spend_code_and_reset(proof: Proof, password_hash: str, now: datetime) -> User:
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email=proof.email, is_active=True).first()
        if user is None or not spend_code(proof=proof, now=now):
            raise Refused(CodeRefusal.WRONG)
        _write_password(user, password_hash, "user.password_reset", user, now)
        addresses = EmailAddress.objects.filter(user=user)
        addresses.filter(primary=True).exclude(email=user.email).update(primary=False)
        addresses.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
    return user


def _write_password(user: User, password_hash: str, action: str, by: User, now: datetime) -> None:
    user.password = password_hash
    user.save(update_fields=["password"])
    record_audit_event(action=action, about=user, by=by, now=now)
    kind, data = "accounts.password_changed", {"changed_at": now}
    outgoing = OutgoingMessage(kind, user.email, user, user.language, data)
    enqueue_messages(messages=[outgoing], now=now)

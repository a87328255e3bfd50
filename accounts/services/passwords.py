"""Setting a password anew: by its owner, or with a code that was mailed."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.enums import CodePurpose
from accounts.models import User
from accounts.services.audit import record_event
from accounts.services.codes import CodeRefused, Proof, spend_code, was_spent
from accounts.services.outbox import OutgoingMessage, enqueue_messages


def change_password(*, user: User, password: str, by: User, now: datetime) -> User:
    """Set a password that has passed the policy; every session of the user ends with the commit.

    Codes sent to reset the old one become worthless. One audit event, one mail to the owner.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        _set(locked, password, "user.password_changed", by, now)
    return locked


def reset_password(*, proof: Proof, password: str, now: datetime) -> User:
    """Spend the code and set the password of the proven address's user, all or nothing.

    The proven address counts as verified from then on. Every session of the user ends. Call
    `check_code()` before, outside the transaction. Raises CodeRefused.
    """
    if proof.purpose != CodePurpose.RESET_PASSWORD:
        raise CodeRefused("wrong")
    with transaction.atomic():
        user = User.objects.select_for_update().filter(email=proof.address, is_active=True).first()
        if user is None or not spend_code(proof=proof, now=now):
            raise CodeRefused("wrong")
        _set(user, password, "user.password_reset", user, now)
        EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).update(
            primary=False
        )
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )
    return user


def was_just_reset(*, address: str, flow: str, password: str, now: datetime) -> bool:
    """Whether this flow has set this very password a moment ago: the second of two clicks."""
    purpose = CodePurpose.RESET_PASSWORD
    if not was_spent(address=address, purpose=purpose, flow=flow, now=now):
        return False
    user = User.objects.filter(email=address, is_active=True).first()
    return user is not None and user.check_password(password)


def _set(user: User, password: str, action: str, by: User, now: datetime) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])
    record_event(action=action, about=user, by=by, now=now)
    outgoing = OutgoingMessage(
        kind="accounts.password_changed",
        to=user.email,
        about=user,
        language=user.language,
        data={"changed_at": now},
    )
    enqueue_messages(messages=[outgoing], now=now)

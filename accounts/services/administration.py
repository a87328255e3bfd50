"""Users as administrators, members and programs make and help them; each action is audited."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from accounts.enums import AdministrationRefusal
from accounts.models import User
from accounts.services.account_names import new_account_name
from accounts.services.second_factor import new_authenticator_app, new_totp_secret
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.email_addresses import canonical_address
from web.refused import Refused
from web.transactions import whole_transaction


@whole_transaction
def add_user(*, user: User, email_original: str, by: User | None, now: datetime) -> User:
    """Save a new user, who gets a generated account name, no password, and the reset e-mail.

    Where passwords are not used there is no such e-mail.

    `user` is unsaved and has the canonical e-mail address; `email_original` is as it was typed.
    Writes one audit event for the user, one for the e-mail.
    """
    with transaction.atomic():
        save_new_user(user=user, email_original=email_original, by=by, now=now)
        if settings.PASSWORD_LOGIN:
            send_reset_link(user=user, by=by, now=now)
    return user


def save_new_user(*, user: User, email_original: str, by: User | None, now: datetime) -> None:
    """Save a new user as `add_user()` does, without the reset e-mail.

    Call it inside the transaction of the action.
    """
    user.account_name, user.created_at = new_account_name(), now
    user.email_original = email_original
    user.set_unusable_password()
    user.save(force_insert=True)
    record_audit_event(
        action="user.added",
        about=user,
        by=by,
        now=now,
        after={"account_name": user.account_name, "language": user.language},
    )


def keep_idle_limit(*, user_id: int, now: datetime) -> None:
    """Limit the idle time of a user who was a member or administrator, while log-ins last.

    Call it inside the transaction of the action.
    """
    until = now + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    User.objects.filter(pk=user_id).update(idle_limit_until=until)


@whole_transaction
def send_reset_link(*, user: User, by: User | None, now: datetime) -> OutboxMessage:
    """Enqueue the e-mail with the way to set a new password; the old one works until then.

    Raises Refused with an AdministrationRefusal: NOT_ACTIVE, PASSWORDS_OFF.
    """
    if not user.is_active:
        raise Refused(AdministrationRefusal.NOT_ACTIVE)
    if not settings.PASSWORD_LOGIN:
        raise Refused(AdministrationRefusal.PASSWORDS_OFF)
    with transaction.atomic():
        outgoing = OutgoingMessage("accounts.reset_link", user.email, user, user.language)
        (message,) = enqueue_messages(messages=[outgoing], now=now)
        record_audit_event(action="user.reset_link_sent", about=user, by=by, now=now)
    return message


@whole_transaction
def add_administrator(*, email: str, now: datetime) -> tuple[User, str]:
    """Save a platform administrator and return it with the secret of its second factor.

    Only the command line makes administrators, so there is no actor. Raises InvalidAddress and
    Refused(AdministrationRefusal.EMAIL_TAKEN).
    """
    user = User(email=canonical_address(email), is_staff=True, is_superuser=True)
    secret = new_totp_secret()
    with transaction.atomic():
        if User.objects.filter(email=user.email).exists():
            raise Refused(AdministrationRefusal.EMAIL_TAKEN)
        add_user(user=user, email_original=email, by=None, now=now)
        new_authenticator_app(user=user, secret=secret).save()
        record_audit_event(action="user.second_factor_added", about=user, by=None, now=now)
    return user, secret

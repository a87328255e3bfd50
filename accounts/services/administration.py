"""What a platform administrator does for users and messages; each act is audited."""

from datetime import datetime

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction

from accounts.models import User
from accounts.services.account_names import new_account_name
from audit.services import record_audit_event
from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.email_addresses import canonical_address


class AdministrationRefused(Exception):
    """`code` is not_active or address_taken; nothing was written."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def add_user(*, user: User, address: str, by: User | None, now: datetime) -> User:
    """Save a new user, who gets a generated account name, no password, and the reset mail.

    `user` is unsaved and holds the canonical address; `address` is as it was typed. The user can
    log in once they have set a password with the code that is mailed to the address: that proves
    it. One audit event for the user, one for the mail.
    """
    with transaction.atomic():
        save_new_user(user=user, address=address, by=by, now=now)
        send_reset_link(user=user, by=by, now=now)
    return user


def save_new_user(*, user: User, address: str, by: User | None, now: datetime) -> None:
    """As `add_user()`, for whoever mails the way to set a password themselves.

    One audit event. Call it inside the transaction of the act.
    """
    user.account_name, user.email_original, user.created_at = new_account_name(), address, now
    user.set_unusable_password()
    user.save(force_insert=True)
    record_audit_event(
        action="user.added",
        about=user,
        by=by,
        now=now,
        after={"account_name": user.account_name, "language": user.language},
    )


def send_reset_link(*, user: User, by: User | None, now: datetime) -> OutboxMessage:
    """Promise the mail with the way to set a new password; nobody else chooses or sees it.

    The old password holds until then. Raises AdministrationRefused("not_active").
    """
    if not user.is_active:
        raise AdministrationRefused("not_active")
    with transaction.atomic():
        outgoing = OutgoingMessage("accounts.reset_link", user.email, user, user.language)
        (message,) = enqueue_messages(messages=[outgoing], now=now)
        record_audit_event(action="user.reset_link_sent", about=user, by=by, now=now)
    return message


def add_administrator(*, address: str, now: datetime) -> tuple[User, str]:
    """Save a platform administrator and return it with the secret of its second factor.

    The secret is shown to nobody again. The password is chosen through the mail, as `add_user()`
    says. Only the command line makes the first administrator, so there is no actor. Raises
    InvalidAddress, and AdministrationRefused("address_taken").
    """
    user = User(email=canonical_address(address), is_staff=True, is_superuser=True)
    secret = generate_totp_secret()
    with transaction.atomic():
        if User.objects.filter(email=user.email).exists():
            raise AdministrationRefused("address_taken")
        add_user(user=user, address=address, by=None, now=now)
        TOTP.activate(user, secret)
        record_audit_event(action="user.second_factor_added", about=user, by=None, now=now)
    return user, secret

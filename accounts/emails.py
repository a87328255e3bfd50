"""The e-mails of accounts, written when they are sent.

Each function is named after its kind, and raises Stale when its e-mail is no longer useful.
"""

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import User, VerificationCode
from accounts.services.codes import LIFETIME, code_holder, derive_code, is_newest
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email


def verification_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    if code_holder(row) is not None:
        raise Stale("address known by now")
    return _code_email(message, row, None, subject=_("Your verification code"))


def already_registered(message: OutboxMessage) -> Email:
    """Written instead of a code when the address of a registration has an account already."""
    _fresh_code(message)
    return render_email(
        message,
        template="accounts/already_registered",
        subject=_("You already have an account"),
        context={
            "log_in_url": absolute_url("account_login"),
            "reset_url": absolute_url("account_reset_password"),
        },
    )


def password_reset_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    holder = code_holder(row)
    if holder is None:
        raise Stale("address unknown by now")
    return _code_email(message, row, holder, subject=_("Your code to set a new password"))


def password_reset_unknown(message: OutboxMessage) -> Email:
    """Written instead of a code when no account has the address."""
    _fresh_code(message)
    return render_email(
        message,
        template="accounts/password_reset_unknown",
        subject=_("There is no account with this address"),
        context={},
    )


def registered(message: OutboxMessage) -> Email:
    user = _user(message)
    return render_email(
        message,
        template="accounts/registered",
        subject=_("Your account has been created"),
        context={"account_name": user.account_name, "log_in_url": absolute_url("account_login")},
    )


def password_changed(message: OutboxMessage) -> Email:
    return render_email(
        message,
        template="accounts/password_changed",
        subject=_("Your password has been changed"),
        context={
            "account_name": _user(message).account_name,
            "changed_at": parse_datetime(message.data["changed_at"]),
            "reset_url": absolute_url("account_reset_password"),
        },
    )


def second_factor_changed(message: OutboxMessage) -> Email:
    is_on = message.data["is_on"]
    on, off = _("Logging in takes a second step now"), _("Logging in takes no second step any more")
    return render_email(
        message,
        template="accounts/second_factor_changed",
        subject=on if is_on else off,
        context={
            "account_name": _user(message).account_name,
            "is_on": is_on,
            "changed_at": parse_datetime(message.data["changed_at"]),
            "reset_url": absolute_url("account_reset_password"),
        },
    )


def reset_link(message: OutboxMessage) -> Email:
    """Written when an administrator asks the user to set a password."""
    user = _user(message)
    if not user.is_active:
        raise Stale("user not active")
    return render_email(
        message,
        template="accounts/reset_link",
        subject=_("Set a new password"),
        context={
            "account_name": user.account_name,
            "reset_url": absolute_url("account_reset_password"),
        },
    )


def failed_logins(message: OutboxMessage) -> Email:
    """Written when someone tries many passwords for the account."""
    return render_email(
        message,
        template="accounts/failed_logins",
        subject=_("Failed attempts to log in to your account"),
        context={
            "account_name": _user(message).account_name,
            "noticed_at": parse_datetime(message.data["noticed_at"]),
            "reset_url": absolute_url("account_reset_password"),
        },
    )


def _code_email(
    message: OutboxMessage, row: VerificationCode, holder: User | None, *, subject: str
) -> Email:
    # Only the body has the code: locked screens show subjects.
    return render_email(
        message,
        template=f"accounts/{message.kind.partition('.')[2]}",
        subject=subject,
        context={
            "code": derive_code(row, holder),
            "minutes": int(LIFETIME.total_seconds() // 60),
            "account_name": holder.account_name if holder else None,
        },
    )


def _fresh_code(message: OutboxMessage) -> VerificationCode:
    row = find_about(message, VerificationCode.objects.all())
    if row.spent_at is not None:
        raise Stale("code spent")
    if row.expires_at <= timezone.now():
        raise Stale("code expired")
    if not is_newest(row):
        raise Stale("newer code sent")
    return row


def _user(message: OutboxMessage) -> User:
    return find_about(message, User.objects.all())

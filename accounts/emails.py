"""The e-mails of accounts; each function has the name of its kind and of its template."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts.models import User, VerificationCode
from accounts.services.codes import LIFETIME, code_holder, derive_code, is_newest
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email


def verification_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    if code_holder(row.email, row.purpose) is not None:
        raise Stale("address known by now")
    return _code_email(message, _("Your verification code"), row, None)


def already_registered(message: OutboxMessage) -> Email:
    """Written instead of a code when the address of a registration has an account already.

    Its button leads through the log-in to the page at which the registration was begun.
    """
    _fresh_code(message)
    values = {"partner": message.data.get("partner")}
    if "next" in message.data:
        query = urlencode({REDIRECT_FIELD_NAME: message.data["next"]})
        values["log_in_url"] = f"{absolute_url('account_login')}?{query}"
        values["reset_url"] = f"{absolute_url('account_reset_password')}?{query}"
    return _email(message, _("You already have an account"), **values)


def password_reset_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    holder = code_holder(row.email, row.purpose)
    if holder is None:
        raise Stale("address unknown by now")
    return _code_email(message, _("Your code to set a new password"), row, holder)


def password_reset_unknown(message: OutboxMessage) -> Email:
    """Written instead of a code when no account has the address."""
    _fresh_code(message)
    return _email(message, _("There is no account with this address"))


def log_in_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    holder = code_holder(row.email, row.purpose)
    if holder is None:
        raise Stale("address unknown by now")
    return _code_email(message, _("Your code to log in with a new browser"), row, holder)


def log_in_unknown(message: OutboxMessage) -> Email:
    """Written instead of a code when no account has the address."""
    _fresh_code(message)
    return _email(message, _("There is no account with this address"))


def registered(message: OutboxMessage) -> Email:
    return _email(message, _("Your account has been created"), _user(message))


def password_changed(message: OutboxMessage) -> Email:
    changed_at = parse_datetime(message.data["changed_at"])
    subject = _("Your password has been changed")
    return _email(message, subject, _user(message), changed_at=changed_at)


def second_factor_changed(message: OutboxMessage) -> Email:
    on, off = _("Logging in takes a second step now"), _("Logging in takes no second step any more")
    is_on, changed_at = message.data["is_on"], parse_datetime(message.data["changed_at"])
    subject = on if is_on else off
    # Missing in e-mails that an earlier version has enqueued.
    by_provider = message.data.get("by_provider", False)
    values = {"is_on": is_on, "changed_at": changed_at, "by_provider": by_provider}
    return _email(message, subject, _user(message), **values)


def reset_link(message: OutboxMessage) -> Email:
    user = _user(message)
    if not user.is_active:
        raise Stale("user not active")
    return _email(message, _("Set a new password"), user)


def failed_logins(message: OutboxMessage) -> Email:
    noticed_at = parse_datetime(message.data["noticed_at"])
    subject = _("Failed attempts to log in to your account")
    return _email(message, subject, _user(message), noticed_at=noticed_at)


def _code_email(
    message: OutboxMessage, subject: str, row: VerificationCode, holder: User | None
) -> Email:
    # Only the body has the code: locked screens show subjects.
    code, minutes = derive_code(row, holder), int(LIFETIME.total_seconds() // 60)
    return _email(message, subject, holder, code=code, minutes=minutes)


def _email(message: OutboxMessage, subject: str, user: User | None = None, **context: Any) -> Email:
    pages = {
        "log_in_url": absolute_url("account_login"),
        "reset_url": absolute_url("account_reset_password"),
    }
    return render_email(
        message,
        template=message.kind.replace(".", "/"),
        subject=subject,
        context={"account_name": user.account_name if user else None, **pages, **context},
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

"""The e-mails of accounts; each function has the name of its kind and of its template."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import ConnectedLogin, User, VerificationCode
from accounts.services.codes import LIFETIME, code_holder, derive_code, is_newest
from outbox.models import OutboxMessage
from outbox.services.rendering import Email, Stale, absolute_url, find_about, render_email

# What is sent when a code was asked for: a code, or why there is none.
_ANSWERS = {
    "accounts.verification_code": _lazy("Your verification code"),
    "accounts.already_registered": _lazy("You already have an account"),
    "accounts.password_reset_code": _lazy("Your code to set a new password"),
    "accounts.password_reset_unknown": _lazy("There is no account with this address"),
    "accounts.log_in_code": _lazy("Your code to log in with a new browser"),
    "accounts.log_in_unknown": _lazy("There is no account with this address"),
}


def verification_code(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    if code_holder(row.email, row.purpose) is not None:
        raise Stale("address known by now")
    return write_answer(message, code=derive_code(row, None))


def already_registered(message: OutboxMessage) -> Email:
    """Written instead of a code when the address of a registration has an account already.

    Its button leads through the log-in to the page at which the registration was begun.
    """
    _fresh_code(message)
    return write_answer(message)


def password_reset_code(message: OutboxMessage) -> Email:
    return _code_for_holder(message)


def password_reset_unknown(message: OutboxMessage) -> Email:
    """Written instead of a code when no account has the address."""
    _fresh_code(message)
    return write_answer(message)


def log_in_code(message: OutboxMessage) -> Email:
    return _code_for_holder(message)


def log_in_unknown(message: OutboxMessage) -> Email:
    """Written instead of a code when no account has the address."""
    _fresh_code(message)
    return write_answer(message)


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


def connected_login_changed(message: OutboxMessage) -> Email:
    """Written about a log-in at an issuer, to its user."""
    connected = ConnectedLogin(issuer=message.data["issuer"])
    values = {"issuer": connected.issuer_name, "is_on": message.data["is_on"]}
    on, off = _("You can log in with %(issuer)s now"), _("You no longer log in with %(issuer)s")
    subject = (on if values["is_on"] else off) % values
    changed_at = parse_datetime(message.data["changed_at"])
    return _email(message, subject, _user(message), changed_at=changed_at, **values)


def reset_link(message: OutboxMessage) -> Email:
    user = _user(message)
    if not user.is_active:
        raise Stale("user not active")
    if not settings.PASSWORD_LOGIN:
        raise Stale("passwords are not used")
    return _email(message, _("Set a new password"), user)


def failed_logins(message: OutboxMessage) -> Email:
    noticed_at = parse_datetime(message.data["noticed_at"])
    subject = _("Failed attempts to log in to your account")
    return _email(message, subject, _user(message), noticed_at=noticed_at)


def write_answer(message: OutboxMessage, holder: User | None = None, *, code: str = "") -> Email:
    """Write the e-mail of this kind, with the code if its text has one.

    Only the body has the code: locked screens show subjects.
    """
    minutes = int(LIFETIME.total_seconds() // 60)
    told = {name: message.data.get(name) for name in ("partner", "for_new_accounts")}
    values = {"code": code, "minutes": minutes, **told}
    return _email(message, str(_ANSWERS[message.kind]), holder, **values)


def _code_for_holder(message: OutboxMessage) -> Email:
    row = _fresh_code(message)
    holder = code_holder(row.email, row.purpose)
    if holder is None:
        raise Stale("address unknown by now")
    return write_answer(message, holder, code=derive_code(row, holder))


def _email(message: OutboxMessage, subject: str, user: User | None = None, **context: Any) -> Email:
    # Where the log-in leads back to, if the e-mail is about a page.
    next_page = message.data.get("next")
    query = f"?{urlencode({REDIRECT_FIELD_NAME: next_page})}" if next_page else ""
    pages = {
        "log_in_url": absolute_url("account_login") + query,
        "reset_url": absolute_url("account_reset_password") + query,
        "settings_url": absolute_url("account_settings"),
        "with_passwords": settings.PASSWORD_LOGIN,
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

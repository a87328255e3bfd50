"""The second step of the log-in: a code from an authenticator app, and recovery codes.

allauth checks it at the log-in and keeps the secrets; its own pages for setting it up would write
while they show. A code is good for one use: allauth remembers it in the shared cache.
"""

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, validate_totp_code
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages

MAIL_KIND = "accounts.second_factor_changed"
# How long a second click is shown the recovery codes of the first.
ONE_CLICK = timedelta(minutes=5)


class SecondFactorRefused(Exception):
    """`code` is wrong_code or on_already; nothing was written."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def has_second_factor(user: User) -> bool:
    """Whether the user logs in with an authenticator app."""
    return _apps(user).exists()


def find_second_factor(user: User) -> Authenticator | None:
    """Return the user's authenticator app, with when it was set up and last used."""
    return _apps(user).first()


def set_up_second_factor(*, user: User, secret: str, code: str, now: datetime) -> list[str]:
    """Turn the second step on, and return the recovery codes, which are shown this once.

    `code` proves that the app has the secret, and is used up by it. One audit event, one mail to
    the owner; a second click writes nothing and gets the same codes. Raises SecondFactorRefused.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        app = find_second_factor(locked)
        if app is not None:
            return _codes_of_first_click(app, secret, now)
        if not validate_totp_code(secret, code):
            raise SecondFactorRefused("wrong_code")
        Authenticator.objects.filter(user=locked).delete()
        if not TOTP.activate(locked, secret).validate_code(code):
            raise SecondFactorRefused("wrong_code")
        codes: list[str] = RecoveryCodes.activate(locked).generate_codes()
        _record(locked, is_on=True, now=now)
    return codes


def remove_second_factor(*, user: User, code: str, now: datetime) -> None:
    """Turn the second step off; nothing happens where there is none.

    `code` is one of the app or a recovery code, and is used up. One audit event, one mail to the
    owner. Raises SecondFactorRefused.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        own = list(Authenticator.objects.filter(user=locked))
        if not own:
            return
        if not any(factor.wrap().validate_code(code) for factor in own):
            raise SecondFactorRefused("wrong_code")
        Authenticator.objects.filter(user=locked).delete()
        _record(locked, is_on=False, now=now)


def _apps(user: User) -> QuerySet[Authenticator]:
    apps: QuerySet[Authenticator] = Authenticator.objects.filter(user=user)
    return apps.filter(type=Authenticator.Type.TOTP)


def _codes_of_first_click(app: Authenticator, secret: str, now: datetime) -> list[str]:
    """Return the recovery codes once more to whoever set up this very app a moment ago."""
    is_same = decrypt(app.data["secret"]) == secret
    if not is_same or now - app.created_at > ONE_CLICK:
        raise SecondFactorRefused("on_already")
    codes: list[str] = RecoveryCodes.activate(app.user).get_unused_codes()
    return codes


def _record(user: User, *, is_on: bool, now: datetime) -> None:
    """Write the audit event and promise the mail to the owner."""
    action = "user.second_factor_added" if is_on else "user.second_factor_removed"
    record_audit_event(action=action, about=user, by=user, now=now)
    outgoing = OutgoingMessage(
        kind=MAIL_KIND,
        to=user.email,
        about=user,
        language=user.language,
        data={"is_on": is_on, "changed_at": now},
    )
    enqueue_messages(messages=[outgoing], now=now)

"""The second step of the log-in: a code from an authenticator app, and recovery codes.

allauth checks it at the log-in and stores the secrets; its own pages for setting it up would write
on GET. A code can be used once: allauth remembers used codes in the shared cache.
"""

import base64
import secrets
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.db import transaction

from accounts.enums import SecondFactorRefusal
from accounts.models import User
from audit.services import given_reason, record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.fixed_queries import KEY, fixed_query
from web.refused import Refused
from web.transactions import whole_transaction


def has_second_factor(user: User) -> bool:
    """Return whether the user logs in with an authenticator app."""
    return find_second_factor(user) is not None


def find_second_factor(user: User) -> Authenticator | None:
    """Return the user's authenticator app, with when it was set up and last used."""
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()


def second_factor_types(user_id: int | None) -> set[str]:
    """Return the types of the user's second factors, recovery codes included; None has none."""
    return {kind for (kind,) in _types.all(user_id)}


@fixed_query(KEY)
def _types(user_id: int) -> Any:
    return Authenticator.objects.filter(user=user_id).values_list("type")


def new_totp_secret() -> str:
    """Return a new secret for an authenticator app: 160 random bits, as RFC 4226 recommends."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def new_authenticator_app(*, user: User, secret: str) -> Authenticator:
    """Return an unsaved authenticator app, in the form in which allauth reads it."""
    data = {"secret": encrypt(secret)}
    return Authenticator(user=user, type=Authenticator.Type.TOTP, data=data)


@whole_transaction
def set_up_second_factor(
    *, user: User, password_hash: str, secret: str, code: str, now: datetime
) -> list[str]:
    """Turn the second step on, and return the recovery codes, which are shown only once.

    `code` proves that the app has the secret, and is used up by it. `password_hash` is the present
    password of `user` with another salt: it ends every session, because none has passed the second
    step, and is set on `user` for the session that goes on. Writes one audit event and enqueues one
    e-mail to the user. The same secret and code sent again return the same recovery codes and write
    nothing. Raises Refused with a SecondFactorRefusal.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        app = find_second_factor(locked)
        if app is not None:
            shown_again = _recovery_codes_again(app, secret, code)
            user.password = locked.password
            return shown_again
        if locked.password != user.password:
            raise Refused(SecondFactorRefusal.PASSWORD_CHANGED)
        app = new_authenticator_app(user=locked, secret=secret)
        if not app.wrap().validate_code(code):
            raise Refused(SecondFactorRefusal.APP_CODE_WRONG)
        # Used up, so no secret any more: it recognises the same form when it is sent again.
        app.data["set_up_with"] = code
        # An earlier app may have left recovery codes.
        Authenticator.objects.filter(user=locked).delete()
        app.save()
        # allauth's form of recovery codes: a seed, and a bit for each that was used.
        recovery = Authenticator.objects.create(
            user=locked,
            type=Authenticator.Type.RECOVERY_CODES,
            data={"seed": encrypt(secrets.token_hex(40)), "used_mask": 0},
        )
        codes: list[str] = recovery.wrap().generate_codes()
        locked.password = password_hash
        locked.save(update_fields=["password"])
        _record_change(locked, is_on=True, by=locked, now=now)
    user.password = password_hash
    return codes


@whole_transaction
def remove_second_factor(*, user: User, code: str, now: datetime) -> None:
    """Turn the second step off, where it is on, and enqueue an e-mail to the user.

    `code` is one of the app or a recovery code, and is used up. Raises Refused with a
    SecondFactorRefusal.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        factors = list(Authenticator.objects.filter(user=locked))
        if not factors:
            return
        if not any(factor.wrap().validate_code(code) for factor in factors):
            raise Refused(SecondFactorRefusal.CODE_WRONG_OR_USED)
        _delete(factors, user=locked, by=locked, now=now)


@whole_transaction
def reset_second_factor(*, user: User, by: User, now: datetime, reason: str = "") -> None:
    """Turn the second step off as an administrator, for a user who has lost it; e-mail the user.

    Recovery codes are deleted with the app. Where there is none, nothing happens. The audit trail
    has the reason.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        factors = list(Authenticator.objects.filter(user=locked))
        if factors:
            _delete(factors, user=locked, by=by, now=now, reason=reason)


def _delete(
    factors: list[Authenticator], *, user: User, by: User, now: datetime, reason: str = ""
) -> None:
    """Turn the second step off; the audit event keeps which kinds of factors there were."""
    Authenticator.objects.filter(user=user).delete()
    before = {"second_factors": sorted(factor.type for factor in factors)}
    _record_change(user, is_on=False, by=by, now=now, reason=reason, before=before)


def _recovery_codes_again(app: Authenticator, secret: str, code: str) -> list[str]:
    """Return the recovery codes for the form that set up this app; it was sent twice."""
    if decrypt(app.data["secret"]) != secret or app.data.get("set_up_with") != code:
        raise Refused(SecondFactorRefusal.ON_ALREADY)
    recovery = Authenticator.objects.get(user=app.user, type=Authenticator.Type.RECOVERY_CODES)
    codes: list[str] = recovery.wrap().get_unused_codes()
    return codes


def _record_change(
    user: User,
    *,
    is_on: bool,
    by: User,
    now: datetime,
    reason: str = "",
    before: dict[str, list[str]] | None = None,
) -> None:
    action = "user.second_factor_added" if is_on else "user.second_factor_removed"
    after = given_reason(reason) or None
    record_audit_event(action=action, about=user, by=by, now=now, before=before, after=after)
    data = {"is_on": is_on, "changed_at": now, "by_provider": by.pk != user.pk}
    outgoing = OutgoingMessage(
        "accounts.second_factor_changed", user.email, user, user.language, data
    )
    enqueue_messages(messages=[outgoing], now=now)

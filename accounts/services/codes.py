"""Verification codes: sending them within their limits, and checking what was typed."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import User, VerificationCode
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.fixed_queries import TEXT, fixed_query
from web.locks import lock_name
from web.refused import Refused
from web.security_log import log_security_event
from web.transactions import whole_transaction

LIFETIME = timedelta(minutes=10)
TRIES = 5
PAUSE, HOUR, DAY = timedelta(seconds=60), timedelta(hours=1), timedelta(days=1)
PER_HOUR = 5
PER_DAY = 10
# Of these, how many only the owner gets, who has typed the account's password or whose browser has
# logged in to it before: strangers, who may ask for codes to any address, cannot use them up.
KEPT_FOR_OWNER = 2

# The e-mail to a known address and the one to an unknown address, by purpose.
_KINDS = {
    CodePurpose.REGISTER: ("already_registered", "verification_code"),
    CodePurpose.RESET_PASSWORD: ("password_reset_code", "password_reset_unknown"),
    CodePurpose.LOG_IN: ("log_in_code", "log_in_unknown"),
}


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that is on its way, and from when the next one to its address is possible."""

    row: VerificationCode
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """The right digits were typed in the flow they were sent for; made by `check_code()` only."""

    code_id: int
    email: str
    purpose: CodePurpose
    flow: str


@whole_transaction
def send_code(
    *,
    email: str,
    purpose: CodePurpose,
    flow: str,
    language: str,
    now: datetime,
    from_owner: bool = False,
    data: Mapping[str, Any] | None = None,
) -> SentCode:
    """Enqueue an e-mail with a new code to a canonical address, within the address's limits.

    A known and an unknown address are answered alike. The limits count all flows and purposes
    together, under a lock per address. `from_owner`: of the account with this address; the last
    codes of the day are kept for that, up to the day's last hour. `data` is for the e-mail's text.
    Raises Refused with the CodeRefusal of the limit that ends last, and the moment of its end.
    """
    with transaction.atomic():
        lock_name(f"code:{email}")
        sent = _sent_in_a_day(email, now)
        if sent:
            # Another request may have sent one while this one waited for the lock.
            now = max(now, sent[0][0])
        is_kept = from_owner and _may_send_kept(sent, now)
        _refuse_beyond_limits(sent, is_kept, now)
        row = VerificationCode.objects.create(
            email=email,
            purpose=purpose,
            flow=flow,
            nonce=secrets.token_hex(16),
            sent_at=now,
            expires_at=now + LIFETIME,
            is_kept_for_owner=is_kept,
        )
        known_kind, unknown_kind = _KINDS[purpose]
        kind = f"accounts.{known_kind if code_holder(email, purpose) else unknown_kind}"
        outgoing = OutgoingMessage(kind, email, row, language, data or {}, row.expires_at)
        enqueue_messages(messages=[outgoing], now=now)
        transaction.on_commit(partial(log_security_event, "code.sent", purpose=purpose.value))
    sent = [(now, is_kept), *sent]
    is_next_kept = from_owner and _may_send_kept(sent, now)
    ends = _ends_of_limits(sent, now, is_kept=is_next_kept)
    return SentCode(row, again_at=max(ends.values()))


@whole_transaction
def check_code(*, email: str, purpose: CodePurpose, flow: str, code: str, now: datetime) -> Proof:
    """Count one try at the newest code of this flow and e-mail address, then compare the digits.

    The try is committed before this returns or raises. So call it outside every transaction
    (inside one it raises RuntimeError), and `spend_code()` in the transaction of what the code
    permits. Two clicks with the right digits are two tries; if they were the last ones, the first
    gives its try back, so that the second is not refused. A spent code gives no try back: with its
    digits a password can be guessed (`register_account()`). Raises Refused with a CodeRefusal.
    """
    with transaction.atomic(durable=True):
        # Read before the code's row: if a registration comes between the two, the row shows it.
        holder = code_holder(email, purpose)
        row = _newest(email, purpose, flow)
        if row is None:
            raise Refused(CodeRefusal.WRONG)
        counted = VerificationCode.objects.filter(
            pk=row.pk, tries__lt=TRIES, expires_at__gt=now
        ).update(tries=F("tries") + 1)
        # The row is locked from the update on, so no other try is counted before this one ends.
        row.refresh_from_db()
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        right = any(
            hmac.compare_digest(derive_code(row, holder, key).encode(), code.encode())
            for key in keys
        )
        proven = right and _may_prove(row, holder)
        if counted and proven and row.spent_at is None and row.tries == TRIES:
            VerificationCode.objects.filter(pk=row.pk).update(tries=TRIES - 1)
    if not counted:
        raise Refused(CodeRefusal.EXPIRED if row.expires_at <= now else CodeRefusal.USED_UP)
    if not proven:
        raise Refused(CodeRefusal.WRONG)
    return Proof(code_id=row.pk, email=email, purpose=purpose, flow=flow)


def spend_code(*, proof: Proof, now: datetime) -> bool:
    """Spend the proven code; return False when it was spent or has expired since.

    Call it in the transaction of what the code permits: a second caller waits for the first.
    """
    unspent = VerificationCode.objects.filter(pk=proof.code_id, spent_at__isnull=True)
    return unspent.filter(expires_at__gt=now).update(spent_at=now) == 1


def was_spent(*, email: str, purpose: CodePurpose, flow: str, now: datetime) -> bool:
    """Return whether the newest code of this flow was spent and has not expired yet."""
    row = _newest(email, purpose, flow)
    return row is not None and row.spent_at is not None and now < row.expires_at


def derive_code(row: VerificationCode, holder: User | None, key: str | None = None) -> str:
    """Return the six digits of a row by this key, else by `SECRET_KEY`, leading zeros included.

    HMAC-SHA256 over the nonce and all that the code is bound to, modulo a million. A code for an
    existing account depends on its password: when that changes, the code is invalid.
    """
    bound_to = holder.password if holder and row.purpose != CodePurpose.REGISTER else ""
    text = "\0".join([row.nonce, row.purpose, row.flow, row.email, bound_to])
    salted = salted_hmac("accounts.services.codes", text, key, algorithm="sha256")
    digest = salted.digest()
    return f"{int.from_bytes(digest, 'big') % 10**6:06}"


def find_usable_code(
    *, email: str, purpose: CodePurpose, flow: str, now: datetime
) -> VerificationCode | None:
    """Return the newest code of this flow and address while it can be typed, else None."""
    row = _newest(email, purpose, flow)
    if row is None or row.spent_at is not None or row.tries >= TRIES or row.expires_at <= now:
        return None
    return row


def is_newest(row: VerificationCode) -> bool:
    """Return whether no newer code was sent to this address for this purpose and flow."""
    newest = _newest(row.email, row.purpose, row.flow)
    return newest is not None and newest.pk == row.pk


def code_holder(email: str, purpose: str) -> User | None:
    """Return the user with this e-mail address, or None.

    A registration ignores users who have never proven the address; the other purposes, users who
    are not active.
    """
    users = _claimed_users if purpose == CodePurpose.REGISTER else _active_users
    return users.first(email)


@fixed_query(TEXT)
def _claimed_users(email: str) -> "QuerySet[User]":
    return User.objects.filter(email=email).exclude(pk__in=User.objects.unclaimed().values("pk"))


@fixed_query(TEXT)
def _active_users(email: str) -> "QuerySet[User]":
    return User.objects.filter(email=email, is_active=True)


def _sent_in_a_day(email: str, now: datetime) -> list[tuple[datetime, bool]]:
    """Return when the codes of the last day were sent, newest first, and which were kept ones."""
    codes = VerificationCode.objects.filter(email=email, sent_at__gt=now - DAY)
    return list(codes.order_by("-sent_at").values_list("sent_at", "is_kept_for_owner"))


def _may_send_kept(sent: Sequence[tuple[datetime, bool]], now: datetime) -> bool:
    """Return whether one is left and a stranger is refused for longer than a code counts elsewhere.

    A kept code counts in the limits of the minute and the hour. While the day's limit ends later,
    no page names those; otherwise it would tell that a kept code was sent: the guess was right.
    """
    end = _ends_of_limits(sent, now).get(CodeRefusal.DAY_USED_UP)
    is_left = sum(kept for _, kept in sent) < KEPT_FOR_OWNER
    return is_left and end is not None and end > now + HOUR


def _ends_of_limits(
    sent: Sequence[tuple[datetime, bool]], now: datetime, *, is_kept: bool = False
) -> dict[CodeRefusal, datetime]:
    """Return until when each limit that is reached allows no further code.

    The codes that are kept for the owner have a limit of the day of their own. They do not count in
    that of the others, else their page would tell whether a guessed password was right.
    """
    per_day = KEPT_FOR_OWNER if is_kept else PER_DAY - KEPT_FOR_OWNER
    moments = [at for at, _ in sent]
    limits = {
        CodeRefusal.SENT_JUST_NOW: (moments, 1, PAUSE),
        CodeRefusal.HOUR_USED_UP: (moments, PER_HOUR, HOUR),
        CodeRefusal.DAY_USED_UP: ([at for at, kept in sent if kept == is_kept], per_day, DAY),
    }
    ends = {
        code: counted[number - 1] + window
        for code, (counted, number, window) in limits.items()
        if len(counted) >= number
    }
    return {code: end for code, end in ends.items() if end > now}


def _refuse_beyond_limits(
    sent: Sequence[tuple[datetime, bool]], is_kept: bool, now: datetime
) -> None:
    ends = _ends_of_limits(sent, now, is_kept=is_kept)
    if ends:
        code = max(ends, key=ends.__getitem__)
        raise Refused(code, again_at=ends[code], sent_at=sent[0][0], now=now)


def _newest(email: str, purpose: str, flow: str) -> VerificationCode | None:
    # The driver writes a member of an enum by its name.
    return _newest_codes.first(email, str(purpose), flow)


@fixed_query(TEXT, f"purpose {TEXT}", f"flow {TEXT}")
def _newest_codes(email: str, purpose: str, flow: str) -> "QuerySet[VerificationCode]":
    codes = VerificationCode.objects.filter(email=email, purpose=purpose, flow=flow)
    return codes.order_by("-sent_at", "-pk")[:1]


def _may_prove(row: VerificationCode, holder: User | None) -> bool:
    """Return whether the right digits of this row prove the address.

    For a registration the address must be free, or this very code has registered it: then the
    second of two clicks gets the same answer, as at a log-in.
    """
    match row.purpose:
        case CodePurpose.REGISTER:
            return holder is None or row.spent_at is not None
        case CodePurpose.RESET_PASSWORD:
            return holder is not None and row.spent_at is None
    return holder is not None

"""Verification codes: sending them within their limits, and checking what was typed.

The six digits are derived from the row's nonce, so no table, log or outbox holds them.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.crypto import salted_hmac

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import User, VerificationCode
from accounts.services.locks import lock_name
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from accounts.services.unclaimed import unclaimed_users
from web.refused import Refused

LIFETIME = timedelta(minutes=10)
TRIES = 5
PAUSE = timedelta(seconds=60)
PER_HOUR = 5
PER_DAY = 10

# What a known, and what an unknown address is sent, by purpose.
_KINDS = {
    CodePurpose.REGISTER: ("accounts.already_registered", "accounts.verification_code"),
    CodePurpose.RESET_PASSWORD: (
        "accounts.password_reset_code",
        "accounts.password_reset_unknown",
    ),
}


@dataclass(frozen=True, slots=True)
class Proof:
    """The right digits were typed in the flow they were sent for; made by `check_code()` only."""

    code_id: int
    address: str
    purpose: CodePurpose
    flow: str


def send_code(
    *, address: str, purpose: CodePurpose, flow: str, language: str, now: datetime
) -> VerificationCode | None:
    """Promise a mail with a new code to a canonical address, unless its limits forbid one now.

    Returns the row, or None when a limit holds: the page says the same in both cases. A known
    address gets a row like an unknown one, so that the limits and the statements are the same; only
    the text of its mail differs. At least 60 seconds lie between two sends, at most 5 are sent per
    hour and 10 per day, counted over all flows and purposes under a lock per address.
    """
    with transaction.atomic():
        lock_name(f"code:{address}")
        if _limit_holds(address, now):
            return None
        row = VerificationCode.objects.create(
            address=address,
            purpose=purpose,
            flow=flow,
            nonce=secrets.token_hex(16),
            sent_at=now,
            expires_at=now + LIFETIME,
        )
        known_kind, unknown_kind = _KINDS[purpose]
        known = _holder(address, purpose) is not None
        outgoing = OutgoingMessage(
            kind=known_kind if known else unknown_kind,
            to=address,
            about=row,
            language=language,
            deadline_at=row.expires_at,
        )
        enqueue_messages(messages=[outgoing], now=now)
        return row


def check_code(*, address: str, purpose: CodePurpose, flow: str, code: str, now: datetime) -> Proof:
    """Count one try at the newest code of this flow and address, and say whether it was right.

    A wrong try is committed before anybody learns that it was wrong, whatever the caller does next;
    therefore call it outside every transaction (it raises RuntimeError inside one), and spend the
    code with `spend_code()` in the transaction of what it permits. Right digits give the last try
    back until the code is spent, so that the second of two clicks is not one try too many; after
    that they cost it, for they let a password be compared. An address that is already known
    cannot be registered: its right digits are as wrong as any others. Raises Refused
    with a CodeRefusal.
    """
    with transaction.atomic(durable=True):
        # Asked before the row is read: a code spent in between then shows as spent.
        holder = _holder(address, purpose)
        row = _newest(address, purpose, flow).first()
        if row is None:
            raise Refused(CodeRefusal.WRONG)
        counted = VerificationCode.objects.filter(
            pk=row.pk, tries__lt=TRIES, expires_at__gt=now
        ).update(tries=F("tries") + 1)
        # The update holds the row: nobody else's try comes between it and giving it back.
        row.refresh_from_db()
        right = hmac.compare_digest(derive_code(row, holder).encode(), code.encode())
        proven = right and _may_prove(row, holder)
        if counted and proven and row.spent_at is None and row.tries == TRIES:
            VerificationCode.objects.filter(pk=row.pk).update(tries=TRIES - 1)
    if not counted:
        raise Refused(CodeRefusal.EXPIRED if row.expires_at <= now else CodeRefusal.USED_UP)
    if not proven:
        raise Refused(CodeRefusal.WRONG)
    return Proof(code_id=row.pk, address=address, purpose=purpose, flow=flow)


def spend_code(*, proof: Proof, now: datetime) -> bool:
    """Spend the proven code, once; return False when it was spent or has expired since.

    Belongs into the transaction of what the code permits: whoever comes second waits for the first.
    """
    return bool(
        VerificationCode.objects.filter(
            pk=proof.code_id, spent_at__isnull=True, expires_at__gt=now
        ).update(spent_at=now)
    )


def note_registered(*, proof: Proof, user: User) -> None:
    """Note whom the code that was just spent has created; belongs into the same transaction."""
    VerificationCode.objects.filter(pk=proof.code_id).update(spent_by=user)


def was_spent(*, address: str, purpose: CodePurpose, flow: str, now: datetime) -> bool:
    """Whether the newest code of this flow and address was spent within its ten minutes."""
    row = _newest(address, purpose, flow).first()
    return row is not None and row.spent_at is not None and now < row.expires_at


def derive_code(row: VerificationCode, holder: User | None) -> str:
    """Return the six digits of a row, leading zeros included.

    HMAC-SHA256 over the nonce and everything the code is bound to, modulo a million: of 2^256
    values the bias is nothing. A code that resets a password is bound to the present one, so that
    any change of it makes the code worthless.
    """
    bound_to = holder.password if holder and row.purpose == CodePurpose.RESET_PASSWORD else ""
    text = "\0".join([row.nonce, row.purpose, row.flow, row.address, bound_to])
    digest = salted_hmac("accounts.services.codes", text, algorithm="sha256").digest()
    return f"{int.from_bytes(digest, 'big') % 10**6:06}"


def is_newest(row: VerificationCode) -> bool:
    """Whether no newer code was sent to this address for this purpose and flow."""
    newest = _newest(row.address, CodePurpose(row.purpose), row.flow).first()
    return newest is not None and newest.pk == row.pk


def code_holder(row: VerificationCode) -> User | None:
    """Return the user whom the address of this code belongs to, as its purpose sees it."""
    return _holder(row.address, CodePurpose(row.purpose))


def _limit_holds(address: str, now: datetime) -> bool:
    day = now - timedelta(days=1)
    sent = list(
        VerificationCode.objects.filter(address=address, sent_at__gt=day)
        .order_by("-sent_at")
        .values_list("sent_at", flat=True)
    )
    last_hour = [moment for moment in sent if moment > now - timedelta(hours=1)]
    too_soon = bool(sent) and sent[0] > now - PAUSE
    return too_soon or len(last_hour) >= PER_HOUR or len(sent) >= PER_DAY


def _newest(address: str, purpose: CodePurpose, flow: str) -> "QuerySet[VerificationCode]":
    codes = VerificationCode.objects.filter(address=address, purpose=purpose, flow=flow)
    return codes.order_by("-sent_at", "-pk")


def _holder(address: str, purpose: CodePurpose) -> User | None:
    users = User.objects.filter(email=address)
    if purpose == CodePurpose.RESET_PASSWORD:
        users = users.filter(is_active=True)
    else:
        users = users.exclude(pk__in=unclaimed_users().values("pk"))
    return users.first()


def _may_prove(row: VerificationCode, holder: User | None) -> bool:
    """A spent registration code may be shown again: registering twice is answered alike."""
    if row.purpose == CodePurpose.RESET_PASSWORD:
        return holder is not None and row.spent_at is None
    return holder is None or row.spent_at is not None

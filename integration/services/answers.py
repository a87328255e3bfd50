"""Repeated calls: the first answer again, instead of a second action."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from integration.models import ApiKey, IdempotentAnswer
from integration.services.sealing import seal, unseal
from web.retention import delete_some
from web.transactions import whole_transaction


class KeyUsedForOtherCall(Exception):
    """The caller has used this idempotency key for another call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and the body of an answer; `is_repeated`: nothing was done this time."""

    status: int
    body: str
    is_repeated: bool = False


def hash_of_call(*parts: bytes) -> str:
    """Return a hash of what makes two calls the same: method, address and body."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def act_once(
    *,
    api_key: ApiKey,
    idempotency_key: str,
    request_hash: str,
    act: Callable[[], Answer],
    now: datetime,
) -> Answer:
    """Run `act` once for this key of the caller, and return its answer every time.

    The answer is stored in the transaction of the effect. When `act` raises, nothing is written and
    the key can be sent again. Of two calls at once the second waits, then gets the first's answer.
    Raises KeyUsedForOtherCall.
    """
    row = IdempotentAnswer(
        api_key=api_key,
        idempotency_key=idempotency_key,
        request_hash=request_hash,
        created_at=now,
    )
    try:
        return _act_and_store(row, act)
    except IntegrityError:
        stored = IdempotentAnswer.objects.filter(
            api_key=api_key, idempotency_key=idempotency_key
        ).first()
        if stored is None:
            # The key is unused: the error comes from the action.
            raise
        if stored.request_hash != request_hash:
            raise KeyUsedForOtherCall from None
        return Answer(stored.status, unseal(stored.sealed_body), is_repeated=True)


@whole_transaction
@transaction.atomic
def _act_and_store(row: IdempotentAnswer, act: Callable[[], Answer]) -> Answer:
    row.pk = None
    row.save(force_insert=True)
    answer = act()
    row.status, row.sealed_body = answer.status, seal(answer.body)
    row.save(update_fields=["status", "sealed_body"])
    return answer


def delete_old_answers(*, now: datetime) -> int:
    """Delete some old answers; return how many."""
    end = now - settings.RETENTION["IDEMPOTENT_ANSWERS"]
    return delete_some(IdempotentAnswer.objects.filter(created_at__lte=end).order_by("created_at"))

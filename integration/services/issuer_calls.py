"""Calls of issuers: bounded in time and size, few at once, and none for a while after failures."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from accounts.issuers import Issuer
from integration.enums import LogInProblem
from integration.services.fetching import FetchFailed, fetch_object
from web import limits
from web.refused import Busy, Refused, forget_refusal
from web.security_log import log_security_event

# Of gunicorn's eight threads in a process, those that may wait for issuers.
MOST_AT_ONCE = 2
LONGEST_WAIT_SECONDS = 0.5
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)


def call_issuer(
    issuer: Issuer, url: str, *, body: bytes | None = None, headers: Mapping[str, str]
) -> dict[str, Any]:
    """GET the URL, or POST the body, and return the object that the issuer answers.

    After five failures within two minutes the URL is not called before they are over. Call it
    outside every transaction. Raises Busy when too many threads wait for issuers already, and
    Refused with a LogInProblem: ISSUER_UNAVAILABLE, ISSUER_REFUSED for an answer of 4xx.
    """
    _refuse_after_failures(url)
    try:
        with _turn():
            answer = fetch_object(url, allow_http=issuer.is_of_demo, body=body, headers=headers)
    except FetchFailed as failed:
        if failed.status is not None and 400 <= failed.status < 500 and failed.status != 429:
            raise Refused(LogInProblem.ISSUER_REFUSED) from failed
        _count_failure(issuer, url, str(failed))
        raise Refused(LogInProblem.ISSUER_UNAVAILABLE) from failed
    limits.clear_limit("issuer_failures", url)
    return answer


def _refuse_after_failures(url: str) -> None:
    try:
        limits.check_limit("issuer_failures", url)
    except limits.LimitReached as reached:
        forget_refusal()
        again_at = reached.again_at
        raise Refused(LogInProblem.ISSUER_UNAVAILABLE, again_at=again_at) from reached


def _count_failure(issuer: Issuer, url: str, reason: str) -> None:
    log_security_event("issuer.failed", issuer=issuer.id, url=url, reason=reason)
    with suppress(limits.LimitReached):
        limits.count_use("issuer_failures", url)
    # The limit is no refusal of this request's own.
    forget_refusal()


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=LONGEST_WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _turns.release()

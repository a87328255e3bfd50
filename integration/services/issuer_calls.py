"""Calls of issuers: bounded in time and size, few at once, and none for a while after failures."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from accounts.issuers import Issuer
from integration.enums import LogInProblem
from integration.services.addresses import Target
from integration.services.posting import CheckedConnection
from web import limits
from web.refused import Busy, Refused, forget_refusal
from web.security_log import log_security_event

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 3.0
MOST_READ = 256 * 1024
_CHUNK = 16 * 1024
# Of gunicorn's eight threads in a process, those that may wait for issuers.
MOST_AT_ONCE = 2
LONGEST_WAIT_SECONDS = 0.5
_turns = threading.BoundedSemaphore(MOST_AT_ONCE)


class _Failed(Exception):
    """The issuer did not answer as issuers do; the text says how, for the log."""


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
            status, text = _call(url, body, {"Accept": "application/json", **headers})
        if 400 <= status < 500 and status != 429:
            raise Refused(LogInProblem.ISSUER_REFUSED)
        answer = _read(status, text)
    except _Failed as failed:
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


def _call(url: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, bytes]:
    target = _target(url)
    connection = CheckedConnection(
        target,
        # The operator named the issuer, which may be in the same network: any address will do.
        [target.host],
        connect_seconds=CONNECT_SECONDS,
        answer_seconds=ANSWER_SECONDS,
    )
    try:
        with connection.ending_after(CONNECT_SECONDS + ANSWER_SECONDS):
            connection.connect()
            connection.request(
                "GET" if body is None else "POST",
                target.path,
                body=body,
                headers={"Host": target.authority, "Connection": "close", **headers},
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            read = b""
            while len(read) <= MOST_READ and (chunk := response.read(_CHUNK)):
                read += chunk
            return response.status, read
    except (TimeoutError, socket.gaierror, ssl.SSLError, OSError) as error:
        raise _Failed(type(error).__name__) from error
    except (HTTPError, HTTPException, ValueError) as error:
        raise _Failed("not HTTP") from error


def _target(url: str) -> Target:
    parts = urlsplit(url)
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = parts.port or (443 if is_https else 80)
    return Target(is_https=is_https, host=parts.hostname or "", port=port, path=path)


def _read(status: int, text: bytes) -> dict[str, Any]:
    if status != 200:
        raise _Failed(f"status {status}")
    if len(text) > MOST_READ:
        raise _Failed("too large")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Failed("not JSON") from error
    if not isinstance(answer, dict):
        raise _Failed("not an object")
    return answer

"""JSON from an issuer that the operator named: no redirects, an end to time and size."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from integration.services.addresses import Target
from integration.services.posting import CheckedConnection

CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 3.0
MOST_READ = 256 * 1024
_CHUNK = 16 * 1024
_NO_HEADERS: Mapping[str, str] = {}


class FetchFailed(Exception):
    """The issuer did not answer as issuers do; the text says how, for the log.

    `status`: what it answered, if that was HTTP.
    """

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


def fetch_object(
    url: Any,
    *,
    allow_http: bool,
    body: bytes | None = None,
    headers: Mapping[str, str] = _NO_HEADERS,
    seconds: float | None = None,
) -> dict[str, Any]:
    """GET the URL, or POST the body, and return the JSON object of the answer.

    After `seconds` it is over, connecting included; without, after the sum of both limits.
    Raises FetchFailed for everything else. Call it outside every transaction.
    """
    target = _target(url, allow_http)
    connection = CheckedConnection(
        target,
        # The operator named the issuer, which may be in the same network: any address will do.
        [target.host],
        connect_seconds=min(CONNECT_SECONDS, seconds or CONNECT_SECONDS),
        answer_seconds=ANSWER_SECONDS,
    )
    try:
        with connection.ending_after(seconds or CONNECT_SECONDS + ANSWER_SECONDS):
            status, text = _call(connection, target, body, headers)
    except OSError as error:
        raise FetchFailed(type(error).__name__) from error
    except (HTTPError, HTTPException, ValueError) as error:
        raise FetchFailed("not HTTP") from error
    return _read(status, text)


def _call(
    connection: CheckedConnection, target: Target, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    connection.connect()
    connection.request(
        "GET" if body is None else "POST",
        target.path,
        body=body,
        headers={
            "Host": target.authority,
            "Accept": "application/json",
            "Connection": "close",
            **headers,
        },
        preload_content=False,
        decode_content=False,
    )
    response = connection.getresponse()
    text = b""
    while len(text) <= MOST_READ and (chunk := response.read(_CHUNK)):
        text += chunk
    return response.status, text


def _read(status: int, text: bytes) -> dict[str, Any]:
    if status != 200:
        raise FetchFailed(f"status {status}", status)
    if len(text) > MOST_READ:
        raise FetchFailed("too large")
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FetchFailed("not JSON") from error
    if not isinstance(answer, dict):
        raise FetchFailed("not an object")
    return answer


def _target(url: Any, allow_http: bool) -> Target:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError as error:
        raise FetchFailed("a malformed address") from error
    is_https = parts.scheme == "https"
    if not (is_https or (allow_http and parts.scheme == "http")) or not parts.hostname:
        raise FetchFailed("an address without https")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port or (443 if is_https else 80)
    return Target(is_https=is_https, host=parts.hostname, port=port, path=path)

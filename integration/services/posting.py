"""One POST to a checked address: no redirects, no proxies, an end to everything."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError

from integration.enums import DeliveryError
from integration.services.addresses import Target, UnknownHost, read_url, resolve
from web.refused import Refused

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 10.0
MOST_READ = 64 * 1024
_CHUNK = 8 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a POST: the status code if there was an answer, and what was wrong."""

    milliseconds: int
    status_code: int | None = None
    error: DeliveryError | None = None


class CheckedConnection(HTTPConnection):
    """A connection to one of the addresses that were checked, whatever the name leads to by now.

    The certificate must be valid for the name.
    """

    def __init__(
        self,
        target: Target,
        addresses: list[str],
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        super().__init__(target.host, target.port, timeout=answer_seconds)
        self._target = target
        self._addresses = addresses
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._line: socket.socket | None = None
        self._is_cut = False

    def connect(self) -> None:
        line = self._connect_to_one()
        # TLS takes the socket over: another handle of the same connection can still end it.
        self._line = line.dup()
        line.settimeout(self._answer_seconds)
        if self._target.is_https:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(line, server_hostname=self._target.host)
        else:
            self.sock = line

    def _connect_to_one(self) -> socket.socket:
        end = time.monotonic() + self._connect_seconds
        for address in self._addresses[:-1]:
            left = max(0.1, (end - time.monotonic()) / 2)
            with contextlib.suppress(OSError):
                return socket.create_connection((address, self._target.port), left)
        left = max(0.1, end - time.monotonic())
        return socket.create_connection((self._addresses[-1], self._target.port), left)

    @contextlib.contextmanager
    def ending_after(self, seconds: float) -> Iterator[None]:
        """Cut the connection then, also in the middle of TLS or of an answer that drips."""
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.close()
            if self._line is not None:
                self._line.close()
            if self._is_cut:
                # Whatever the cut looked like from inside: an error, or the end of the answer.
                raise TimeoutError

    def cut(self) -> None:
        self._is_cut = True
        if self._line is not None:
            with contextlib.suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """POST the body; every failure is an outcome. Nothing is sent to an address that is refused."""
    began = time.monotonic()
    status_code, error = _try(url, body, headers)
    milliseconds = round((time.monotonic() - began) * 1000)
    return Outcome(milliseconds, status_code, error or _error_of(status_code))


def _try(
    url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int | None, DeliveryError | None]:
    try:
        return _post(url, body, headers), None
    except Refused:
        return None, DeliveryError.ADDRESS_REFUSED
    except UnknownHost:
        return None, DeliveryError.UNKNOWN_HOST
    except TimeoutError:
        return None, DeliveryError.TIMEOUT
    except ssl.SSLCertVerificationError:
        return None, DeliveryError.CERTIFICATE
    except OSError:
        return None, DeliveryError.NO_CONNECTION
    except (HTTPError, HTTPException, ValueError):
        return None, DeliveryError.NOT_HTTP


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    target = read_url(url)
    connection = CheckedConnection(target, resolve(target))
    with connection.ending_after(ANSWER_SECONDS):
        connection.connect()
        connection.request(
            "POST",
            target.path,
            body=body,
            headers={"Host": target.authority, "Connection": "close", **headers},
            preload_content=False,
            decode_content=False,
        )
        response = connection.getresponse()
        left = MOST_READ
        while left > 0 and (chunk := response.read(min(left, _CHUNK))):
            left -= len(chunk)
        return response.status


def _error_of(status_code: int | None) -> DeliveryError | None:
    if status_code is None or 200 <= status_code < 300:
        return None
    if status_code == 410:
        return DeliveryError.GONE
    return DeliveryError.REDIRECT if 300 <= status_code < 400 else DeliveryError.STATUS

"""Where the current request comes from, for evidence and limits; nothing outside a request."""

import ipaddress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Origin:
    """The client's network address and the id under which logs and audit know the request."""

    address: str | None = None
    request_id: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())


def current_origin() -> Origin:
    """Return the origin of the request being answered; an empty one in commands and the worker."""
    return _origin.get()


def set_origin(origin: Origin) -> None:
    """Say where the request being answered comes from."""
    _origin.set(origin)


@lru_cache(maxsize=1024)
def canonical_ip(text: str) -> str | None:
    """Return the one spelling of a network address, or None for what is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None

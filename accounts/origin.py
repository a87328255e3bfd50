"""Where the current request comes from, for evidence and limits; nothing outside a request."""

from contextvars import ContextVar
from dataclasses import dataclass


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

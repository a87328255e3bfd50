"""The origin of the current request, for the audit trail, limits and logs."""

import ipaddress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache

# What is left of an address by IP version: the network of a household or a company.
NETWORK_BITS = {4: 24, 6: 48}


@dataclass(frozen=True, slots=True)
class Origin:
    network_address: str | None = None
    request_id: str = ""


_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())


def current_origin() -> Origin:
    """Return the origin of the current request; an empty one in commands and the worker."""
    return _origin.get()


def set_origin(origin: Origin) -> None:
    _origin.set(origin)


@lru_cache(maxsize=1024)
def canonical_ip(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def shortened_address(text: str | None) -> str | None:
    """Return the first address of the network that this address is in (IPv4 /24, IPv6 /48)."""
    if text is None:
        return None
    address = ipaddress.ip_address(text)
    network = ipaddress.ip_network((address, NETWORK_BITS[address.version]), strict=False)
    return str(network.network_address)

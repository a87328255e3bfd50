"""Which URLs and addresses webhooks may be sent to: public ones, checked before each connection."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings

from integration.enums import UrlRefusal
from web.refused import Refused

# One pattern reads the URL for the check and for the connection: two parsers could read two hosts.
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>[^/?#:@\\\[\]]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:[/?].*)?)",
    re.IGNORECASE,
)
# Printable ASCII, which no program changes on its way.
_VISIBLE = re.compile(r"[!\"$-\[\]-~]+")  # neither # nor \
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# At least two labels, the last of which begins with a letter: in no notation an address, since
# their last part is always a number (127.1, 2130706433, 0177.0.0.1, 0x7f.0.0.0x1).
_NAME = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_LONGEST_NAME = 253
_HTTPS = 443
_FIRST_FREE_PORT, _LAST_PORT = 1024, 65_535
LOOPBACK_HOSTS = ("127.0.0.1", "localhost")

# What `ipaddress` takes for global, in one of the versions of Python that we support: shared
# addresses, those that lead to other addresses (NAT64, 6to4, Teredo), documentation, benchmarks.
_REFUSED = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
# What is assigned to networks of the internet; NAT64 and mapped IPv4 addresses are outside of it.
_IPV6 = ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in parts: where to connect, and what to ask for."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return what the header Host says."""
        default = _HTTPS if self.is_https else 80
        return self.host if self.port == default else f"{self.host}:{self.port}"


class UnknownHost(Exception):
    """The host has no address."""


def read_url(url: str) -> Target:
    """Return the parts of a URL that a webhook may be sent to. Raises Refused for any other.

    With DEMO=1 it may be `http` to a program on this machine.
    """
    match = _URL.fullmatch(url) if _VISIBLE.fullmatch(url) else None
    if match is None:
        raise Refused(UrlRefusal.MALFORMED)
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or (_HTTPS if scheme == "https" else 80))
    path = match["path"] if match["path"].startswith("/") else f"/{match['path']}"
    target = Target(is_https=scheme == "https", host=host, port=port, path=path)
    if settings.DEMO and scheme in ("http", "https") and host in LOOPBACK_HOSTS:
        return target
    if not target.is_https:
        raise Refused(UrlRefusal.NOT_HTTPS)
    if len(host) > _LONGEST_NAME or not _NAME.fullmatch(host):
        raise Refused(UrlRefusal.HOST_NOT_PUBLIC)
    if port != _HTTPS and not _FIRST_FREE_PORT <= port <= _LAST_PORT:
        raise Refused(UrlRefusal.PORT_REFUSED)
    return target


def resolve(target: Target) -> list[str]:
    """Return the addresses of the host, all of them public: connect to these, without asking again.

    Raises UnknownHost, and Refused (HOST_NOT_PUBLIC) if one address is not public.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost(target.host) from error
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not addresses:
        raise UnknownHost(target.host)
    if not all(map(_may_be_reached, addresses)):
        raise Refused(UrlRefusal.HOST_NOT_PUBLIC)
    return addresses


def is_public(text: str) -> bool:
    """Whether this address belongs to the internet, and to one machine of it."""
    address = _read(text)
    if address is None or (address.version == 6 and address not in _IPV6):
        return False
    refused = any(address.version == net.version and address in net for net in _REFUSED)
    return address.is_global and not address.is_multicast and not refused


def _may_be_reached(text: str) -> bool:
    address = _read(text)
    is_demo = bool(settings.DEMO) and address is not None and address.is_loopback
    return is_demo or is_public(text)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None

"""Where webhooks may be sent: no hostile URL makes a connection."""

import socket

import pytest

from integration.enums import DeliveryError, UrlRefusal
from integration.services import addresses, posting
from integration.services.addresses import is_public, read_url
from integration.services.posting import post
from tests.integration.receivers import Canary, running
from web.refused import Refused

# PORT is that of a program that listens on all addresses of this machine.
HOSTILE = {
    "http://example.com:PORT/": UrlRefusal.NOT_HTTPS,
    "ftp://example.com:PORT/": UrlRefusal.NOT_HTTPS,
    "file:///etc/passwd": UrlRefusal.MALFORMED,
    "gopher://127.0.0.1:PORT/": UrlRefusal.NOT_HTTPS,
    "https:example.com:PORT/": UrlRefusal.MALFORMED,
    "https:/127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "//127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "": UrlRefusal.MALFORMED,
    "https://": UrlRefusal.MALFORMED,
    "https:///path": UrlRefusal.MALFORMED,
    "https://127.0.0.1:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://127.1:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://0:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://0.0.0.0:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://2130706433:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://017700000001:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://0177.0.0.1:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://0x7f000001:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://0x7f.0.0.0x1:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://127.0.0.1.:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://8.8.8.8:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://169.254.169.254/latest/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://[::1]:PORT/": UrlRefusal.MALFORMED,
    "https://[::ffff:127.0.0.1]:PORT/": UrlRefusal.MALFORMED,
    "https://[64:ff9b::7f00:1]:PORT/": UrlRefusal.MALFORMED,
    "https://localhost:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://LOCALHOST:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://localhost.:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://metadata:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://example.com.:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://.example.com:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://exa_mple.com:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://%31%32%37.0.0.1:PORT/": UrlRefusal.HOST_NOT_PUBLIC,
    "https://①②⑦.⓪.⓪.①:PORT/": UrlRefusal.MALFORMED,
    "https://l\N{CYRILLIC SMALL LETTER O}calhost:PORT/": UrlRefusal.MALFORMED,
    "https://user@127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "https://user:password@example.com:PORT/": UrlRefusal.MALFORMED,
    "https://example.com@127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "https://127.0.0.1:PORT@example.com/": UrlRefusal.MALFORMED,
    "https://127.0.0.1:PORT\\@example.com/": UrlRefusal.MALFORMED,
    "https://example.com\\.127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "https://127.0.0.1:PORT#@example.com/": UrlRefusal.MALFORMED,
    "https://example.com:PORT/#part": UrlRefusal.MALFORMED,
    "https://exam\tple.com:PORT/": UrlRefusal.MALFORMED,
    "https://example.com:PORT/\r\nHost: other": UrlRefusal.MALFORMED,
    " https://127.0.0.1:PORT/": UrlRefusal.MALFORMED,
    "https://127.0.0.1 :PORT/": UrlRefusal.MALFORMED,
    "https://example.com:22/": UrlRefusal.PORT_REFUSED,
    "https://example.com:80/": UrlRefusal.PORT_REFUSED,
    "https://example.com:0/": UrlRefusal.PORT_REFUSED,
    "https://example.com:65536/": UrlRefusal.PORT_REFUSED,
    "https://example.com:-1/": UrlRefusal.MALFORMED,
    "https://example.com:²/": UrlRefusal.MALFORMED,
}
# What a name may lead to; without the guard each of these would be connected to.
HOSTILE_ADDRESSES = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
]
PUBLIC_ADDRESSES = ["8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "2a00:1450:4001::200e"]


@pytest.fixture
def canary():
    with running(Canary()) as server:
        yield server


@pytest.fixture(autouse=True)
def outside_the_demo(settings):
    settings.DEMO = False


def send(url):
    return post(url, body=b"{}", headers={})


def lead_to(monkeypatch, *found):
    """Let every name have these addresses, one after the other at each look-up."""
    answers, real = list(found), socket.getaddrinfo

    def getaddrinfo(host, port, *args, **options):
        if not host[-1].isalpha():
            return real(host, port, *args, **options)
        texts = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(None, socket.SOCK_STREAM, 6, "", (text, port)) for text in texts]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize("url", HOSTILE)
def test_hostile_url_makes_no_connection(url, canary, monkeypatch):
    lead_to(monkeypatch, ["127.0.0.1"])
    sent = url.replace("PORT", str(canary.port))
    with pytest.raises(Refused) as refused:
        read_url(sent)

    assert refused.value.code == HOSTILE[url]
    assert send(sent).error == DeliveryError.ADDRESS_REFUSED
    assert canary.connections == 0


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_name_of_a_hostile_address_makes_no_connection(address, canary, monkeypatch):
    lead_to(monkeypatch, [address])
    outcome = send(f"https://hooks.example.com:{canary.port}/")

    assert (outcome.error, canary.connections) == (DeliveryError.ADDRESS_REFUSED, 0)
    assert not is_public(address)


def test_name_with_one_hostile_address_of_two_makes_no_connection(canary, monkeypatch):
    lead_to(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    outcome = send(f"https://hooks.example.com:{canary.port}/")
    assert (outcome.error, canary.connections) == (DeliveryError.ADDRESS_REFUSED, 0)


def test_control_without_the_guard_the_canary_hears_it(canary, monkeypatch):
    lead_to(monkeypatch, ["127.0.0.1"])
    monkeypatch.setattr(addresses, "is_public", lambda text: True)
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 2.0)
    send(f"https://hooks.example.com:{canary.port}/")
    assert canary.connections == 1


@pytest.mark.parametrize("address", PUBLIC_ADDRESSES)
def test_public_address_may_be_reached(address):
    assert is_public(address)


def test_name_is_resolved_once_and_the_checked_address_is_connected_to(canary, monkeypatch):
    """A name that leads elsewhere between the check and the connection changes nothing."""
    connected = []

    def create_connection(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    lead_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    monkeypatch.setattr(socket, "create_connection", create_connection)
    outcome = send(f"https://hooks.example.com:{canary.port}/")

    assert outcome.error == DeliveryError.NO_CONNECTION
    assert connected == [("93.184.216.34", canary.port)]
    assert canary.connections == 0


def test_host_without_address_is_an_outcome(monkeypatch):
    def getaddrinfo(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert send("https://hooks.example.com/").error == DeliveryError.UNKNOWN_HOST


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://hooks.example.com", ("hooks.example.com", 443, "/")),
        ("HTTPS://Hooks.Example.COM/a?b=c", ("hooks.example.com", 443, "/a?b=c")),
        ("https://hooks.example.com?b", ("hooks.example.com", 443, "/?b")),
        ("https://hooks.example.com:8443/a", ("hooks.example.com", 8443, "/a")),
        ("https://xn--bcher-kva.example/", ("xn--bcher-kva.example", 443, "/")),
        ("https://hooks.example.com/a@b:c", ("hooks.example.com", 443, "/a@b:c")),
    ],
)
def test_parts_of_a_url(url, parts):
    target = read_url(url)
    assert (target.host, target.port, target.path) == parts


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_demo_may_send_to_a_program_on_this_machine(settings, host):
    url = f"http://{host}:9000/hook"
    with pytest.raises(Refused):
        read_url(url)
    settings.DEMO = True
    assert read_url(url).port == 9000
    with pytest.raises(Refused):
        read_url("http://example.com:9000/hook")

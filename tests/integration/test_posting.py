"""One POST of a webhook: what receivers may answer, and how it ends."""

import datetime
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from integration.enums import DeliveryError
from integration.services import posting
from integration.services.posting import post
from tests.integration.receivers import Receiver, babble, drip, hang, pour, receiver, running
from tests.integration.test_addresses import lead_to


@pytest.fixture(autouse=True)
def in_the_demo(settings):
    settings.DEMO = True


def send(url):
    outcome = post(url, body=b'{"a":"\xc3\xa9"}', headers={"webhook-id": "1"})
    return outcome.status_code, outcome.error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (200, None),
        (204, None),
        (299, None),
        (400, DeliveryError.STATUS),
        (404, DeliveryError.STATUS),
        (410, DeliveryError.GONE),
        (500, DeliveryError.STATUS),
    ],
)
def test_status_of_the_answer_decides(answer, error):
    with receiver(answer) as server:
        assert send(server.url) == (answer, error)
    [(headers, body)] = server.received
    assert (headers["webhook-id"], body) == ("1", '{"a":"é"}')


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(status):
    with receiver(204) as other, receiver((status, {"Location": other.url})) as server:
        assert send(server.url) == (status, DeliveryError.REDIRECT)
    assert (len(server.received), other.received) == (1, [])


@pytest.mark.parametrize("answer", [hang, drip])
def test_answer_that_does_not_end_is_cut(answer, monkeypatch):
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.6)
    began = time.monotonic()
    with receiver(answer) as server:
        assert send(server.url) == (None, DeliveryError.TIMEOUT)
    assert 0.5 < time.monotonic() - began < 3


def test_at_most_64_kilobytes_of_an_answer_are_read():
    began = time.monotonic()
    with receiver(pour) as server:
        assert send(server.url) == (200, None)
    # What the buffers of both ends take is beyond what was read.
    assert server.sent < 20_000_000
    assert time.monotonic() - began < 5


def test_answer_that_is_not_http():
    with receiver(babble) as server:
        assert send(server.url) == (None, DeliveryError.NOT_HTTP)


def test_receiver_that_is_down():
    with receiver() as server:
        url = server.url
    assert send(url) == (None, DeliveryError.NO_CONNECTION)


def test_proxy_of_the_environment_is_not_used(monkeypatch):
    with receiver(500) as proxy, receiver(204) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert send(server.url) == (204, None)
    assert proxy.received == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hooks.example.com", (204, None)),
        ("other.example.com", (None, DeliveryError.CERTIFICATE)),
    ],
)
def test_certificate_must_be_valid_for_the_name(name, expected, monkeypatch, tmp_path):
    certificate = make_certificate(tmp_path, "hooks.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    lead_to(monkeypatch, ["127.0.0.1"])
    with running(tls_receiver(certificate)) as server:
        assert send(f"https://{name}:{server.server_address[1]}/hook") == expected
    asked_for = [headers["Host"] for headers, _body in server.received]
    assert asked_for == [f"{name}:{server.server_address[1]}"] * (expected[1] is None)


def test_certificate_of_an_unknown_authority_is_refused(monkeypatch, tmp_path):
    certificate = make_certificate(tmp_path, "hooks.example.com")
    lead_to(monkeypatch, ["127.0.0.1"])
    with running(tls_receiver(certificate)) as server:
        url = f"https://hooks.example.com:{server.server_address[1]}/hook"
        assert send(url) == (None, DeliveryError.CERTIFICATE)


def tls_receiver(certificate):
    server = Receiver(204)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def make_certificate(folder, name):
    """Write a key and a certificate for the name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file

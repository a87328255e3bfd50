"""An issuer of JWTs that listens on this machine, and says what a test wants."""

import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.integration.calls import Program
from tests.integration.receivers import running

AUDIENCE = "https://partners.example.com/api"
RSA, OTHER_RSA, SMALL_RSA = (generate_rsa(65537, size) for size in (2048, 2048, 1024))
EC, ED = generate_ec(SECP256R1()), Ed25519PrivateKey.generate()
PRIVATE: dict[str, Any] = {"rsa": RSA, "ec": EC, "ed": ED, "small": SMALL_RSA, "other": OTHER_RSA}
ALGORITHMS = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA", "small": "RS256", "other": "RS256"}


def public(name):
    """Return the public key of this name as issuers publish it."""
    kind: Any = {"ec": ECAlgorithm, "ed": OKPAlgorithm}.get(name, RSAAlgorithm)
    return {**kind.to_jwk(PRIVATE[name].public_key(), as_dict=True), "kid": name, "use": "sig"}


def private(name):
    """Return the private key of this name, which no issuer should publish."""
    kind: Any = {"ec": ECAlgorithm, "ed": OKPAlgorithm}.get(name, RSAAlgorithm)
    return {**kind.to_jwk(PRIVATE[name], as_dict=True), "kid": f"private-{name}", "use": "sig"}


class Issuer(ThreadingHTTPServer):
    """Publishes the keys of these names, each document after a pause.

    `answers`: by path, what answers in place of it.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.names = ["rsa", "ec", "ed", "small"]
        self.more_keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, {"kid": 1}, "x"]
        self.answers = {}
        self.pause = 0.0
        self.requests = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def document(self, path):
        if path == "/keys":
            return {"keys": [*map(public, self.names), *self.more_keys]}
        return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}

    def sign(self, key="rsa", header=None, **changed):
        """Return a token with these claims changed, or left out where they are None."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "billing",
            "exp": now + 300,
            "scope": "openid provider:partners:read provider:partners:write",
        }
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        names = {"kid": key, **(header or {})}
        return jwt.encode(claims, PRIVATE[key], algorithm=ALGORITHMS[key], headers=names)

    def caller(self, **changed):
        return Program(None, self.sign(**changed))

    def handle_error(self, request, client_address):
        """A caller that gives up is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self):
        self.server.requests.append(self.path)
        time.sleep(self.server.pause)
        answer = self.server.answers.get(self.path)
        if callable(answer):
            answer(self)
            return
        status, headers, document = answer or (200, {}, self.server.document(self.path))
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


@contextmanager
def listening(settings):
    """Run an issuer whose tokens the API accepts, until the block ends."""
    with running(Issuer()) as issuer:
        settings.DEMO = True
        settings.API_JWT_ISSUER, settings.API_JWT_AUDIENCE = issuer.url, AUDIENCE
        yield issuer

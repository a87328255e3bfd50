"""An issuer that listens on this machine and says what a test wants, true or not."""

import base64
import hashlib
import json
import secrets
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from accounts.issuers import read_issuers
from accounts.models import ConnectedLogin
from tests.factories import InvitationFactory, UserFactory
from tests.journeys.walk import ADDRESS, Walk
from web.session_life import begin_login

CLIENT_ID, CLIENT_SECRET = "partner-association", "secret of the client"
KEY, OTHER_KEY = (generate_private_key(65537, 2048) for _ in range(2))


class Issuer(ThreadingHTTPServer):
    """Knows one person at a time: `claims`. `tampered` changes the next ID tokens.

    `answers`: by path, a function that answers in place of the issuer.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.claims = {
            "sub": "subject-1",
            "email": "new.customer@example.org",
            "email_verified": True,
            "name": "Ada Lovelace",
            "country": "DE",
        }
        self.userinfo = {}
        self.tampered = {}
        self.header = {"kid": "one"}
        self.key, self.algorithm = KEY, "RS256"
        self.answers = {}
        self.codes, self.requests = {}, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def setting(self, **changed):
        row = {
            "id": "cloud",
            "name": "Cloud ID",
            "issuer": self.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "claims": {
                "external_id": "account",
                "country": "country",
                "registration_site": "site",
                "registered_at": "registered_at",
            },
            "registration": True,
            "amr": ["otp"],
        }
        return row | changed

    def configured(self, **changed):
        return read_issuers(json.dumps([self.setting(**changed)]), allow_http=True)

    def authorize(self, location):
        """Return the query with which the browser comes back from this authorization URL."""
        asked = dict(parse_qsl(urlsplit(location).query))
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def metadata(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "prompt_values_supported": ["none", "create"],
        }

    def keys(self):
        public = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "one", "use": "sig"}, {"kty": "oct", "k": "c2VjcmV0"}]}

    def token(self, form, authorization):
        pair = base64.b64encode(f"{CLIENT_ID}:secret%20of%20the%20client".encode()).decode()
        asked = self.codes.pop(form.get("code"), None)
        if asked is None or authorization != f"Basic {pair}":
            return 400, {"error": "invalid_grant"}
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        sent = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if sent != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "access", "id_token": self.id_token(asked["nonce"])}

    def id_token(self, nonce):
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= self.claims | self.tampered
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers=self.header)


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self):
        self.answer({})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer({name: values[0] for name, values in parse_qs(body).items()})

    def answer(self, form):
        issuer, path = self.server, urlsplit(self.path).path
        issuer.requests.append(path)
        if path in issuer.answers:
            issuer.answers[path](self)
            return
        documents = {
            "/.well-known/openid-configuration": lambda: (200, issuer.metadata()),
            "/keys": lambda: (200, issuer.keys()),
            "/token": lambda: issuer.token(form, self.headers.get("Authorization")),
            "/userinfo": lambda: (200, {"sub": issuer.claims["sub"], **issuer.userinfo}),
        }
        self.send(*documents[path]())

    def send(self, status, answer):
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_arguments):
        """Print nothing: tests read what they need from `requests`."""


@contextmanager
def listening():
    """Run an issuer until the block ends."""
    issuer = Issuer()
    thread = threading.Thread(target=issuer.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        issuer.shutdown()
        issuer.server_close()


def go(client, issuer, *, next_url="", purpose="log_in"):
    """Press the button and return the issuer's address to which it leads."""
    data = {"next": next_url, "purpose": purpose}
    response = client.post("/account/issuers/cloud/start", data)
    assert response.status_code == 303
    assert response["Location"].startswith(f"{issuer.url}/authorize?")
    return response["Location"]


def log_in(client, issuer, **options):
    """Go to the issuer and come back."""
    query = issuer.authorize(go(client, issuer, **options))
    return client.get("/account/issuers/cloud/callback", query)


def connected(issuer, user=None, subject="subject-1"):
    user = user or UserFactory.create()
    return ConnectedLogin.objects.create(
        user=user, issuer=issuer.url, subject=subject, connected_at=timezone.now()
    ).user


def logged_in_just_now(client):
    """Note in the session what a log-in through the pages notes."""
    session = client.session
    begin_login(session)
    session.save()


def signed_in_as(client):
    return client.session.get("_auth_user_id")


def begun_by_email(**traits):
    invitation = InvitationFactory.create(email=True, recipient=ADDRESS, **traits)
    walk = Walk(invitation)
    walk.begin()
    return walk

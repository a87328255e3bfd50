"""A log-in at an issuer: the authorization code flow with PKCE, from its start to the claims."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

from accounts.issuers import Issuer
from integration.enums import FlowPurpose, LogInProblem
from integration.services.id_tokens import verify_id_token
from integration.services.issuer_calls import call_issuer
from integration.services.issuer_documents import Metadata, metadata_of
from web.refused import Refused

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Flow:
    """What this browser's session keeps of a log-in that was begun.

    `user_id`: who was signed in, where the log-in is to be connected.
    """

    issuer_id: str
    purpose: str
    nonce: str
    verifier: str
    begun_at: float
    next_url: str = ""
    user_id: int | None = None

    def is_open(self, now: datetime) -> bool:
        begun_at = datetime.fromtimestamp(self.begun_at, UTC)
        return begun_at <= now < begun_at + LIFETIME


@dataclass(frozen=True, slots=True)
class Answer:
    """What the issuer said: verified claims, and the token for asking for more."""

    claims: dict[str, Any]
    access_token: str


def new_flow(
    issuer: Issuer, purpose: FlowPurpose, *, next_url: str, user_id: int | None, now: datetime
) -> Flow:
    """Return a log-in that begins now, with secrets that no other one has."""
    return Flow(
        issuer_id=issuer.id,
        purpose=purpose.value,
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        begun_at=now.timestamp(),
        next_url=next_url,
        user_id=user_id,
    )


def authorization_url(issuer: Issuer, flow: Flow, state: str) -> str:
    """Return where to send the browser. Raises Busy and Refused: LogInProblem."""
    metadata = metadata_of(issuer)
    challenge = hashlib.sha256(flow.verifier.encode()).digest()
    parameters = {
        "response_type": "code",
        "client_id": issuer.client_id,
        "redirect_uri": callback_url(issuer),
        "scope": " ".join(issuer.scopes),
        "state": state,
        "nonce": flow.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if flow.purpose == FlowPurpose.REGISTER and metadata.can_register:
        # Initiating User Registration via OpenID Connect 1.0.
        parameters["prompt"] = "create"
    if flow.purpose == FlowPurpose.SECOND_FACTOR and issuer.acr:
        parameters["acr_values"] = " ".join(issuer.acr)
    separator = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{separator}{urlencode(parameters)}"


def callback_url(issuer: Issuer) -> str:
    """Return where the issuer sends the browser back to; the operator registers it there."""
    return settings.PUBLIC_BASE_URL + reverse("issuer_callback", args=[issuer.id])


def redeem_code(issuer: Issuer, flow: Flow, code: str) -> Answer:
    """Exchange the code for tokens and verify them. Raises Busy and Refused: LogInProblem."""
    metadata = metadata_of(issuer)
    call = _token_call(issuer, metadata, flow, code)
    answer = call_issuer(issuer, metadata.token_endpoint, **call)
    id_token, access_token = answer.get("id_token"), answer.get("access_token")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise Refused(LogInProblem.ANSWER_WRONG, reasons=["tokens"])
    begun_at = datetime.fromtimestamp(flow.begun_at, UTC)
    claims = verify_id_token(issuer, metadata, id_token, nonce=flow.nonce, begun_at=begun_at)
    return Answer(claims, access_token)


def ask_for_more(issuer: Issuer, answer: Answer) -> dict[str, Any]:
    """Return the claims with those of the userinfo endpoint, which must be about the same subject.

    Raises Busy and Refused: LogInProblem.
    """
    url = metadata_of(issuer).userinfo_endpoint
    if not url or not answer.access_token.isascii() or not answer.access_token.isprintable():
        return answer.claims
    headers = {"Authorization": f"Bearer {answer.access_token}"}
    more = call_issuer(issuer, url, headers=headers)
    if more.get("sub") != answer.claims["sub"]:
        raise Refused(LogInProblem.ANSWER_WRONG, reasons=["userinfo"])
    return {**more, **answer.claims}


def _token_call(issuer: Issuer, metadata: Metadata, flow: Flow, code: str) -> dict[str, Any]:
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": callback_url(issuer),
        "code_verifier": flow.verifier,
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if issuer.client_secret and not metadata.takes_secret_in_body:
        # RFC 6749, 2.3.1: both are form-encoded first.
        pair = f"{quote(issuer.client_id, safe='')}:{quote(issuer.client_secret, safe='')}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        fields["client_id"] = issuer.client_id
        if issuer.client_secret:
            fields["client_secret"] = issuer.client_secret
    return {"body": urlencode(fields).encode(), "headers": headers}

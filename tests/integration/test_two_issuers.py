"""The whole reseller journey with two issuers that others wrote, without a password."""

import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from accounts.issuers import read_issuers
from accounts.models import ConnectedLogin
from association.models import Association
from tests.factories import InvitationFactory
from tests.integration.issuer import signed_in_as
from tests.integration.toolkit_issuer import CLIENT_ID, CLIENT_SECRET
from tests.journeys.walk import ADDRESS, Walk

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
PERSON = {"email": ADDRESS, "email_verified": True, "name": "Ada Lovelace", "country": "DE"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(*command, port):
    process = subprocess.Popen(  # noqa: S603 - this project's own interpreter
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(port):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("the issuer did not start")


def authorize(location, method, body=None):
    """Do what the browser does at the issuer; return the query with which it comes back."""
    url = urlsplit(location)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    connection.request(method, f"{url.path}?{url.query}", body, headers)
    answer = connection.getresponse()
    # An issuer that ends waits for its connections.
    connection.close()
    assert answer.status == 302
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@contextmanager
def mock(claims):
    port = free_port()
    claims = json.dumps({"sub": "ada", **claims})
    arguments = ["-m", "oidc_provider_mock", "-p", str(port), "--user-claims", claims]
    with running(*arguments, port=port):
        yield (
            {"id": "mock", "issuer": f"http://127.0.0.1:{port}", "client_id": "any"},
            lambda location: authorize(location, "POST", "sub=ada"),
        )


@contextmanager
def toolkit(claims):
    port = free_port()
    arguments = ["-m", "tests.integration.toolkit_issuer", str(port), json.dumps(claims)]
    issuer = f"http://127.0.0.1:{port}/o"
    with running(*arguments, port=port):
        yield (
            {"id": "toolkit", "issuer": issuer, "client_id": CLIENT_ID},
            lambda location: authorize(location, "GET"),
        )


@pytest.mark.parametrize("kind", [mock, toolkit])
def test_invited_person_joins_with_the_log_in_of_the_issuer(settings, kind):
    settings.PASSWORD_LOGIN = False
    walk = Walk(InvitationFactory.create(email=True, recipient=ADDRESS))
    walk.begin(letter=True)
    claims = {**PERSON, "registered_at": timezone.now().isoformat()}
    with kind(claims) as (row, authorize_there):
        row |= {"name": "Other Cloud", "client_secret": CLIENT_SECRET, "registration": True}
        row["claims"] = {"country": "country", "registered_at": "registered_at"}
        settings.OIDC_PROVIDERS = read_issuers(json.dumps([row]), allow_http=True)
        pages = [walk.get("account"), walk.get("register")]
        come_back(walk.client, row["id"], authorize_there, walk.url(), "register")
        pages += [walk.get("enable"), walk.enable(), walk.get("done")]
        walk.client.post("/account/logout/")
        assert signed_in_as(walk.client) is None
        come_back(walk.client, row["id"], authorize_there, "/account/partner/")
        pages.append(walk.client.get("/account/partner/"))
    assert [page.status_code for page in pages] == [200, 200, 200, 303, 200, 200]
    assert not any("password" in page.content.decode().lower() for page in pages)
    association = Association.objects.get()
    assert association.account.freezes.open().count() == 1
    assert association.authorizations.count() == 1
    assert ConnectedLogin.objects.get().user == association.account.owner


def come_back(client, issuer_id, authorize_there, next_url, purpose="log_in"):
    way = f"/account/issuers/{issuer_id}"
    location = client.post(f"{way}/start", {"purpose": purpose, "next": next_url})["Location"]
    response = client.get(f"{way}/callback", authorize_there(location))
    assert (response.status_code, response["Location"]) == (302, next_url)

"""The whole reseller journey with two issuers that others wrote, without a password."""

import http.client
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from accounts.models import ConnectedLogin
from association.models import Association
from tests.factories import InvitationFactory
from tests.integration.issuer import signed_in_as
from tests.integration.other_issuers import configured, mock, toolkit
from tests.journeys.walk import ADDRESS, Walk

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
PERSON = {"email": ADDRESS, "email_verified": True, "name": "Ada Lovelace", "country": "DE"}


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


def authorize_at_mock(location):
    return authorize(location, "POST", "sub=ada")


def authorize_at_toolkit(location):
    return authorize(location, "GET")


@pytest.mark.parametrize(
    ("kind", "authorize_there"), [(mock, authorize_at_mock), (toolkit, authorize_at_toolkit)]
)
def test_invited_person_joins_with_the_log_in_of_the_issuer(settings, kind, authorize_there):
    settings.PASSWORD_LOGIN = False
    walk = Walk(InvitationFactory.create(email=True, recipient=ADDRESS))
    walk.begin(letter=True)
    claims = {**PERSON, "registered_at": timezone.now().isoformat()}
    with kind(claims) as row:
        settings.OIDC_PROVIDERS = configured(row)
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

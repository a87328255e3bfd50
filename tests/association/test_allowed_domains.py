"""Links for certain e-mail domains, from the landing page to the last one."""

import pytest
from django.test import Client

from accounts.models import VerificationCode
from association.models import Association
from tests.factories import InvitationFactory
from tests.journeys.walk import Walk, ready_attempt, walk_of

pytestmark = pytest.mark.django_db

DOMAINS = "nordwind.example xn--mller-kva.example"
SENTENCE = "nordwind.example or müller.example"


@pytest.fixture
def link():
    return InvitationFactory.create(allowed_domains=DOMAINS)


@pytest.fixture
def walk(link):
    walk = Walk(link)
    walk.begin()
    return walk


def test_landing_and_registration_say_for_which_addresses_it_is(walk, link):
    landing = Client().get(f"/i/{link.token}").content.decode()
    other = Client().get(f"/i/{InvitationFactory.create().token}").content.decode()
    assert f"Only for e-mail addresses at <bdi>{SENTENCE}</bdi>." in landing
    assert "Only for e-mail addresses" not in other
    assert f"Use an address at {SENTENCE}." in walk.get("register").content.decode()


@pytest.mark.parametrize(
    "email",
    ["ada@elsewhere.example", "ada@sub.nordwind.example", "nordwind.example@elsewhere.example"],
)
def test_another_address_gets_no_code_and_is_kept(walk, email):
    response = walk.send_code(email)
    page = response.content.decode()
    assert response.status_code == 400
    assert f"This invitation is for addresses at {SENTENCE}." in page
    assert email in page
    assert not VerificationCode.objects.exists()


@pytest.mark.parametrize("email", ["Ada@Nordwind.Example", "ada@müller.example"])
def test_such_an_address_joins(walk, email):
    assert walk.register(email).status_code == 303
    walk.post("enable", country="DE")
    assert walk.attempt.refusal_codes == []


def test_account_with_another_address_is_refused_with_the_way_out(link):
    """Registered by a link without domains, it goes on with this one."""
    walk = walk_of(ready_attempt(invitation=link, registered=True))
    response = walk.get("check")
    page = response.content.decode()
    assert response.status_code == 200
    assert walk.attempt.refusal_codes == ["email_domain_not_allowed"]
    assert f"It is for addresses at <bdi>{SENTENCE}</bdi>." in page
    assert "Register a new account" in page
    assert walk.post("confirm").status_code == 409
    assert not Association.objects.exists()


def test_account_with_such_an_address_is_admitted(link):
    attempt = ready_attempt(invitation=link, registered=True)
    owner = attempt.account.owner
    owner.email = "ada@nordwind.example"
    owner.save()
    walk = walk_of(attempt)
    assert walk.post("confirm")["Location"] == walk.url("done")

"""Links that cannot be followed: one page for all that never were, one for each way to be dead."""

import html
import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from partners.services.invitations import revoke_invitation
from tests.factories import CustomerAccountFactory, InvitationFactory, PartnerFactory
from tests.journeys.walk import Walk, invite, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

TOKEN = "7q3k9mzp4x0vd8hj2ns6wt5ybr"
NO_INVITATION = [
    "",
    TOKEN[:-1],
    TOKEN + "0",
    "u" * 26,
    "0" * 400,
    "0" * 4000,
    TOKEN + "%20",
    TOKEN + "%0A",
    TOKEN + ".",
    TOKEN[:-3] + "%00",
    TOKEN[:-3] + "%ff%fe",
    TOKEN[:-3] + "%ed%a0%80",
    TOKEN[:-3] + "%C0%AE",
    "../../etc/passwd",
    "..%2f..%2fsettings.py",
    quote("' OR 1=1 --"),
    quote('"; DROP TABLE partners_invitation; --'),
    quote("{{ 7*7 }}{% debug %}"),
    quote("<script>alert(1)</script>"),
    quote("<img src=x onerror=alert(1)>"),
    quote("\N{PARTY POPPER}") * 26,
    quote("\N{CYRILLIC SMALL LETTER A}") * 26,
    "null",
    "None",
    "-1",
    TOKEN + "/instructions/",
    TOKEN + ")",
    TOKEN + ",",
    TOKEN + "%3E",
]
DEAD = {
    "expired": "This invitation has expired",
    "revoked": "This invitation has been revoked",
    "used_up": "This invitation has been used up",
}


def stripped(response):
    """The body without what differs by design: the value against request forgery."""
    return re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", response.content)


def heading(response):
    return re.findall(r"<h1>\s*(.*?)\s*</h1>", response.content.decode(), re.DOTALL)


@pytest.mark.parametrize("mutation", NO_INVITATION)
def test_every_address_that_is_no_invitation_gets_the_same_page(client, mutation):
    InvitationFactory.create(token=TOKEN)
    unknown = client.get(f"/i/{'0' * 26}")
    assert unknown.status_code == 404
    before = tables()
    response = client.get(f"/i/{mutation}")
    assert response.status_code == 404
    assert stripped(response) == stripped(unknown)
    assert client.head(f"/i/{mutation}").status_code == 404
    assert client.get(f"/I/{mutation.upper()}").status_code == 404
    assert tables() == before


@pytest.mark.parametrize("place", ["", "/instructions", "/account"])
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_unknown_token_is_404_on_every_first_page(client, place, method):
    expected = 405 if (place, method) == ("", "post") else 404
    assert getattr(client, method)(f"/i/{'0' * 26}{place}").status_code == expected


@pytest.mark.parametrize("state", DEAD)
def test_who_joined_by_a_dead_link_is_led_to_the_log_in(client, state):
    page = client.get(f"/i/{InvitationFactory.create(**{state: True}).token}")
    text = " ".join(page.content.decode().split())
    assert 'Was it you who joined? <a href="/account/login/">Log in</a>' in text


def test_unknown_page_says_how_to_copy_the_link(client):
    text = client.get(f"/i/{TOKEN})").content.decode()
    assert heading(client.get(f"/i/{TOKEN}.")) == ["There is no such invitation"]
    assert "a dot, a bracket or a blank at its end does not belong to it" in text
    assert 'href="/join/"' in text


@pytest.mark.parametrize("state", DEAD)
@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("get", ""),
        ("get", "/instructions"),
        ("get", "/account"),
        ("post", "/instructions"),
        ("post", "/account"),
    ],
)
@pytest.mark.parametrize("who", ["stranger", "customer"])
def test_each_dead_link_is_gone_with_its_own_page(client, state, place, method, who):
    invitation = InvitationFactory.create(**{state: True})
    if who == "customer":
        client.force_login(CustomerAccountFactory.create().owner)
    before = tables()
    response = getattr(client, method)(f"/i/{invitation.token}{place}", {"instructions": "on"})
    assert (response.status_code, heading(response)) == (410, [DEAD[state]])
    assert tables() == before


@pytest.mark.parametrize(
    ("traits", "referral", "sentence"),
    [
        ({"frozen": True}, False, "cannot take on new customers at the moment."),
        ({"reseller_only": True}, True, "may no longer invite customers in this way."),
    ],
)
def test_partner_that_may_not_invite_is_gone_too(client, traits, referral, sentence):
    partner = PartnerFactory.create(**traits)
    invitation = InvitationFactory.create(partner=partner, referral=referral)
    response = client.get(f"/i/{invitation.token}")
    assert response.status_code == 410
    assert f"{partner.name} {sentence}" in response.content.decode()


@pytest.mark.parametrize("state", DEAD)
def test_body_depends_only_on_reason_language_and_partners_name_and_contact(state):
    bodies = set()
    for number in range(3):
        partner = PartnerFactory.create(
            name="A & <B>",
            legal_name=f"Legal {number}",
            country=["DE", "IE", "FR"][number],
            support_email="help@a.example",
        )
        invitation = InvitationFactory.create(
            partner=partner,
            note=f"Note {number}",
            label=f"Label {number}",
            email=number == 1,
            **{state: True},
        )
        response = Client().get(f"/i/{invitation.token}")
        bodies.add(stripped(response))
        text = response.content.decode()
        for hidden in (partner.legal_name, invitation.note):
            assert hidden not in text
        assert '<a href="mailto:help@a.example">help@a.example</a>' in text
        assert html.escape("A & <B>") in text
        if number == 1:
            assert invitation.recipient not in text
    assert len(bodies) == 1


def test_customer_who_joined_through_it_sees_the_own_association_instead():
    walk = walk_of(ready_attempt())
    walk.post("confirm")
    revoke_invitation(invitation=walk.invitation, by=None, now=timezone.now())
    response = walk.client.get(f"/i/{walk.invitation.token}", follow=True)
    assert (response.status_code, response.redirect_chain[-1]) == (200, (walk.url("done"), 303))


def test_customer_of_another_partner_sees_that_the_link_is_dead():
    walk = walk_of(ready_attempt())
    walk.post("confirm")
    dead = InvitationFactory.create(revoked=True)
    response = walk.client.get(f"/i/{dead.token}")
    assert (response.status_code, heading(response)) == (410, [DEAD["revoked"]])


def test_open_attempt_dies_with_its_invitation():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    revoke_invitation(invitation=walk.invitation, by=None, now=timezone.now())
    for url in (walk.url(), walk.url("account"), f"/i/{walk.invitation.token}"):
        response = walk.client.get(url)
        assert (response.status_code, heading(response)) == (410, [DEAD["revoked"]])


def test_home_of_a_customer_is_not_the_dead_link_for_ever():
    account = CustomerAccountFactory.create(enabled=True)
    walk = walk_of(ready_attempt(account=account, invitation=invite(account)))
    assert walk.client.get("/account/")["Location"] == walk.url()
    revoke_invitation(invitation=walk.invitation, by=None, now=timezone.now())
    assert walk.client.get("/account/")["Location"] == "/account/partner/"


def test_too_many_unknown_tokens_are_slowed_down_and_live_links_are_not(client):
    invitation = InvitationFactory.create()
    answers = [client.get(f"/i/{number:026}").status_code for number in range(62)]
    assert answers == [404] * 60 + [429] * 2
    limited = client.get(f"/i/{'0' * 26}")
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert client.get("/i/malformed").status_code == 429
    assert client.get(f"/i/{invitation.token}").status_code == 200
    other_address = Client(REMOTE_ADDR="198.51.100.9")
    assert other_address.get(f"/i/{'0' * 26}").status_code == 404


@pytest.mark.parametrize("most", [1, 2])
def test_used_up_link_is_not_said_to_be_for_many(client, most):
    invitation = InvitationFactory.create(max_uses=most, used_count=most, partner__name="Nimbus")
    page = client.get(f"/i/{invitation.token}")
    assert page.status_code == 410
    assert "It has been used as often as Nimbus allowed." in page.content.decode()

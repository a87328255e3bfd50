"""Accepting an invitation to act for a partner, or declining: who may, until when, and once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from partners.models import MemberInvitation, PartnerMember
from partners.services.members import member_terms
from tests.factories import (
    MemberInvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from web.shown_versions import ShownVersion

pytestmark = pytest.mark.django_db
MEMBERSHIP = "/account/membership/"


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def person():
    return UserFactory.create(email="ann@example.org")


@pytest.fixture
def offer(person):
    inviter = UserFactory.create(email="boss@example.org")
    return MemberInvitationFactory.create(address=person.email, invited_by=inviter)


def answer(user, offer, act="accept"):
    return client_of(user).post(f"{MEMBERSHIP}{offer.pk}/{act}", shown(offer))


def shown(offer):
    """Return the version that the page showed before anything was answered."""
    offer.refresh_from_db()
    return {"shown_version": str(ShownVersion.of(member_terms(offer)))}


def test_page_says_who_invites_and_what_it_means(person, offer):
    page = client_of(person).get(MEMBERSHIP).content.decode()
    assert offer.partner.name in page
    assert "boss@example.org invites you to become manager." in page
    assert "You see customers’ e-mail addresses masked." in page


def test_page_of_another_user_does_not_show_it(offer):
    page = client_of(UserFactory.create()).get(MEMBERSHIP).content.decode()
    assert offer.partner.name not in page
    assert "No invitation waits for" in page


def test_page_asks_a_stranger_to_log_in():
    response = Client(SERVER_NAME="127.0.0.1").get(MEMBERSHIP)
    assert response["Location"] == f"/account/login/?next={MEMBERSHIP}"


def test_home_leads_there(person, offer):
    response = client_of(person).get("/account/")
    assert (response.status_code, response["Location"]) == (302, MEMBERSHIP)


def test_accepting_twice_makes_one_member_and_leads_to_the_console(person, offer):
    MemberInvitation.objects.update(role="administrator", may_see_addresses=True)
    client = client_of(person)
    before = client.session.session_key
    for _ in range(2):
        response = client.post(f"{MEMBERSHIP}{offer.pk}/accept", shown(offer))
        assert (response.status_code, response["Location"]) == (303, "/partner/")
    assert client.session.session_key != before
    member = PartnerMember.objects.get()
    assert (member.user, member.partner, member.role, member.may_see_addresses) == (
        person,
        offer.partner,
        "administrator",
        True,
    )
    assert client.get("/partner/members/").status_code == 200
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor", "object_id")
    assert list(events) == [
        ("member_invitation.accepted", person.pk, str(offer.pk)),
        ("partner_member.added", person.pk, str(member.pk)),
    ]
    assert list(trail_equals_state()) == []


def test_invitation_that_was_accepted_does_not_bring_a_removed_member_back(person, offer):
    answer(person, offer)
    PartnerMember.objects.all().delete()
    assert answer(person, offer).status_code == 409
    assert not PartnerMember.objects.exists()


@pytest.mark.parametrize("act", ["accept", "decline"])
def test_only_the_invited_person_answers(offer, act):
    stranger = UserFactory.create(email="bob@example.org")
    unproven = UserFactory.create(email="eve@example.org", verified=False)
    MemberInvitationFactory.create(address=unproven.email)
    theirs = MemberInvitation.objects.get(address=unproven.email)
    assert answer(stranger, offer, act).status_code == 404
    assert answer(unproven, theirs, act).status_code == 404
    assert Client(SERVER_NAME="127.0.0.1").post(f"{MEMBERSHIP}{offer.pk}/{act}").status_code == 302
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("expires_at", "has expired"), ("withdrawn_at", "has been withdrawn")],
)
def test_expired_or_withdrawn_is_gone(person, offer, state, sentence):
    MemberInvitation.objects.update(**{state: timezone.now() - timedelta(seconds=1)})
    response = answer(person, offer)
    assert response.status_code == 410
    assert sentence in response.content.decode()
    assert not PartnerMember.objects.exists()
    assert not AuditEvent.objects.exists()


def test_one_acts_for_one_partner_only(person, offer):
    PartnerMemberFactory.create(user=person)
    response = answer(person, offer)
    assert response.status_code == 409
    assert "You act for a partner already" in response.content.decode()
    assert PartnerMember.objects.count() == 1
    assert client_of(person).get("/account/")["Location"] == "/partner/"


def test_a_customer_does_not_act_for_a_partner():
    customer = make_associated().account.owner
    offer = MemberInvitationFactory.create(address=customer.email)
    before = AuditEvent.objects.count()
    response = answer(customer, offer)
    assert response.status_code == 409
    assert "Your account is a partner’s customer" in response.content.decode()
    assert AuditEvent.objects.count() == before
    assert client_of(customer).get("/account/")["Location"] == "/account/partner/"


def test_declining_twice_ends_it_with_one_event(person, offer):
    for _ in range(2):
        response = answer(person, offer, "decline")
        assert (response.status_code, response["Location"]) == (303, MEMBERSHIP)
    offer.refresh_from_db()
    assert (offer.withdrawn_by, offer.accepted_at) == (person, None)
    assert AuditEvent.objects.get().action == "member_invitation.declined"
    assert answer(person, offer).status_code == 410


def test_accepted_invitation_cannot_be_declined(person, offer):
    answer(person, offer)
    assert answer(person, offer, "decline").status_code == 409
    assert PartnerMember.objects.count() == 1


def test_at_most_one_invitation_is_open_per_partner_and_address(offer):
    with pytest.raises(IntegrityError), transaction.atomic():
        MemberInvitationFactory.create(partner=offer.partner, address=offer.address)
    offer.withdrawn_at = timezone.now()
    offer.save()
    MemberInvitationFactory.create(partner=offer.partner, address=offer.address)

"""Answering a request for an online invitation: from the console, and in the admin."""

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import Invitation, InvitationRequest
from tests.factories import InvitationRequestFactory, PartnerMemberFactory, UserFactory, mark_frozen
from tests.tables import tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked():
    return InvitationRequestFactory.create()


@pytest.fixture
def member(asked):
    return PartnerMemberFactory.create(partner=asked.partner, administrator=True)


def client_of(user=None, **options):
    client = Client(**options)
    if user:
        client.force_login(user)
    return client


def address_of(asked):
    return f"/partner/requests/{asked.pk}/invitation"


# --- the console


def test_one_click_sends_the_invitation_once(asked, member):
    client = client_of(member.user)
    assert f'action="{address_of(asked)}"' in client.get("/partner/").content.decode()
    for _ in range(2):
        response = client.post(address_of(asked))
        assert (response.status_code, response["Location"]) == (303, "/partner/requests/")
        page = client.get("/partner/requests/").content.decode()
        assert f"The invitation to {asked.address} is on its way." in page
        assert "There is no request." in page
    asked.refresh_from_db()
    assert (asked.sent_invitation.recipient, asked.closed_by) == (asked.address, member.user)
    assert OutboxMessage.objects.get(kind="partners.invitation").recipient == asked.address
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor")
    assert list(events) == [
        ("invitation.created", member.user.pk),
        ("invitation_request.answered", member.user.pk),
    ]


@pytest.mark.parametrize("person", [lambda: PartnerMemberFactory.create().user, UserFactory.create])
def test_request_of_another_partner_does_not_exist(asked, person):
    client = client_of(person())
    before = tables()
    assert client.post(address_of(asked)).status_code == 404
    assert tables() == before


def test_stranger_is_asked_to_log_in(asked):
    before = tables()
    response = client_of().post(address_of(asked))
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")
    assert tables() == before


def test_answer_needs_a_post_with_its_token(asked, member):
    client = client_of(member.user, enforce_csrf_checks=True)
    before = tables()
    assert client.get(address_of(asked)).status_code == 303
    assert client.post(address_of(asked)).status_code == 403
    assert tables() == before


@pytest.mark.parametrize("number", [0, 10**30])
def test_unknown_request_does_not_exist(member, number):
    path = f"/partner/requests/{number}/invitation"
    assert client_of(member.user).post(path).status_code == 404


def test_refusal_is_shown_and_leaves_the_request_open(asked, member):
    mark_frozen(asked.partner)
    client = client_of(member.user)
    response = client.post(address_of(asked))
    assert response.status_code == 409
    assert "The partner is frozen and cannot invite." in response.content.decode()
    page = client.get("/partner/requests/").content.decode()
    assert asked.address in page.replace("<wbr>", "")
    assert Invitation.objects.count() == 1


def test_dismissed_request_is_not_answered(member):
    asked = InvitationRequestFactory.create(invitation__partner=member.partner, dismissed=True)
    client = client_of(member.user)
    response = client.post(address_of(asked))
    assert response.status_code == 409
    assert "This request has been dismissed." in response.content.decode()


# --- the admin


def post_action(client, action, asked, **data):
    path = reverse("admin:partners_invitationrequest_changelist")
    chosen = {"action": action, "_selected_action": asked.pk, **data}
    return client.post(path, chosen, follow=True).content.decode()


def test_administrator_sends_the_invitation_after_a_confirmation(asked):
    boss = UserFactory.create(staff=True)
    client = client_of(boss)
    assert "Each person is mailed an online invitation" in post_action(
        client, "send_invitation", asked
    )
    assert not OutboxMessage.objects.exists()
    for _ in range(2):
        post_action(client, "send_invitation", asked, confirmed="1")
    asked.refresh_from_db()
    assert (asked.sent_invitation.recipient, asked.closed_by) == (asked.address, boss)
    assert OutboxMessage.objects.count() == 1
    page = post_action(client, "dismiss", asked, confirmed="1", reason="Late")
    assert "The online invitation has been sent already." in page


def test_administrator_dismisses_with_a_reason(asked):
    boss = UserFactory.create(staff=True)
    client = client_of(boss)
    post_action(client, "dismiss", asked, confirmed="1", reason="")
    assert InvitationRequest.objects.get().closed_at is None
    post_action(client, "dismiss", asked, confirmed="1", reason="Not ours")
    asked.refresh_from_db()
    assert (asked.dismiss_reason, asked.closed_by) == ("Not ours", boss)
    assert not OutboxMessage.objects.exists()
    assert AuditEvent.objects.get().action == "invitation_request.dismissed"
    page = post_action(client, "send_invitation", asked, confirmed="1")
    assert "This request has been dismissed." in page

"""The console's first page: who waits, for the partner's own members only."""

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import (
    CustomerAccountFactory,
    InvitationFactory,
    InvitationRequestFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
    make_attempt,
)

pytestmark = pytest.mark.django_db


def open_overview(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client.get("/partner/")


@pytest.mark.parametrize("rows", [1, 3])
def test_overview_shows_who_waits_with_constant_queries(rows, django_assert_num_queries):
    member = PartnerMemberFactory.create()
    invitation = InvitationFactory.create(partner=member.partner)
    for _ in range(rows):
        make_associated(invitation=invitation)
    InvitationRequestFactory.create_batch(rows, partner=member.partner, invitation=invitation)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    with django_assert_num_queries(5):
        page = client.get("/partner/")
    assert page.status_code == 200
    assert page.content.decode().count("Joined and frozen on") == rows
    assert page.content.decode().count("by the invitation") == rows


def test_overview_shows_nothing_of_another_partner():
    member = PartnerMemberFactory.create()
    associated = make_associated()
    asked = InvitationRequestFactory.create(
        partner=associated.partner, invitation=associated.invitation
    )
    page = open_overview(member.user).content.decode()
    assert associated.account.owner.account_name not in page
    assert asked.address not in page
    assert "Nobody waits." in page


def test_overview_does_not_exist_for_whoever_is_no_member():
    assert open_overview(UserFactory.create()).status_code == 404


def test_overview_asks_a_stranger_to_log_in():
    assert Client(SERVER_NAME="127.0.0.1").get("/partner/").status_code == 302


def test_overview_forgets_who_is_unfrozen_or_answered():
    member = PartnerMemberFactory.create()
    invitation = InvitationFactory.create(partner=member.partner)
    associated = make_associated(invitation=invitation)
    associated.account.freezes.update(unfrozen_at=timezone.now())
    InvitationRequestFactory.create(
        partner=member.partner, invitation=invitation, closed_at=timezone.now()
    )
    page = open_overview(member.user).content.decode()
    assert "Nobody waits." in page
    assert "Nobody asks." in page


def test_home_leads_a_member_to_the_console():
    member = PartnerMemberFactory.create()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    answer = client.get("/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/partner/")


def test_home_leads_back_to_an_open_attempt():
    attempt = make_attempt(account=CustomerAccountFactory.create(enabled=True))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(attempt.account.owner)
    answer = client.get("/account/")
    assert (answer.status_code, answer["Location"]) == (302, f"/join/{attempt.pk}/")

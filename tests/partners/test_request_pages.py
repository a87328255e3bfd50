"""The console's requests for an online invitation: who sees which, and dismissing one."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.services.invitation_requests import answer_invitation_request
from tests.factories import (
    InvitationFactory,
    InvitationRequestFactory,
    PartnerMemberFactory,
    UserFactory,
    mark_frozen,
)
from tests.shown_texts import unbroken
from tests.tables import tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def asked(boss):
    return ask(boss)


def ask(member, **options):
    return InvitationRequestFactory.create(
        invitation__partner=member.partner, invitation__created_by=member.user, **options
    )


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def page_of(member, query=""):
    response = client_of(member.user).get(f"/partner/requests/{query}")
    assert response.status_code == 200
    return unbroken(response)


def dismissal_of(asked):
    return f"/partner/requests/{asked.pk}/dismissal"


@pytest.mark.parametrize("rows", [1, 3])
def test_list_has_a_constant_query_count(boss, rows, django_assert_num_queries):
    for _ in range(rows):
        ask(boss)
    client = client_of(boss.user)
    with django_assert_num_queries(6):
        page = client.get("/partner/requests/").content.decode()
    assert page.count("Send the invitation") == rows


def test_oldest_comes_first_and_pages_follow(boss):
    now = timezone.now()
    for number in range(26):
        ask(
            boss,
            address=f"p{number:02}@example.org",
            requested_at=now - timedelta(hours=number),
        )
    first = page_of(boss)
    assert first.index("p25@example.org") < first.index("p24@example.org")
    assert "p00@example.org" not in first
    assert 'rel="next"' in first


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"open"}),
        ("?state=open", {"open"}),
        ("?state=answered", {"answered"}),
        ("?state=dismissed", {"dismissed"}),
        ("?state=all", {"open", "answered", "dismissed"}),
        ("?state=all&q=ANSW", {"answered"}),
        ("?state=nonsense", {"open"}),
        ("?state=all&q=%00", {"open", "answered", "dismissed"}),
    ],
)
def test_list_shows_what_was_asked_for(boss, query, shown):
    ask(boss, address="open@example.org")
    answered = ask(boss, address="answered@example.org")
    answer_invitation_request(invitation_request=answered, by=boss.user, now=timezone.now())
    ask(boss, address="dismissed@example.org", dismissed=True)
    page = page_of(boss, query)
    found = {name for name in ("open", "answered", "dismissed") if f"{name}@example.org" in page}
    assert found == shown


def test_manager_sees_own_and_masked(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = ask(manager, address="ann@example.org")
    ask(boss, address="bob@example.org")
    page = page_of(manager)
    assert page.count("Send the invitation") == 1
    assert "a…@example.org" in page
    assert own.address not in page
    assert "No request is like that." in page_of(manager, "?q=ann")
    manager.may_see_addresses = True
    manager.save()
    assert own.address in page_of(manager, "?q=ann")


def test_dismissing_needs_a_reason_and_happens_once(boss, asked):
    client = client_of(boss.user)
    assert client.get(dismissal_of(asked)).status_code == 200
    for reason in ("", " ", "x" * 257, "a\0b"):
        before = tables()
        assert client.post(dismissal_of(asked), {"reason": reason}).status_code == 400
        assert tables() == before
    for _ in range(2):
        response = client.post(dismissal_of(asked), {"reason": "Not ours"})
        assert (response.status_code, response["Location"]) == (303, "/partner/requests/")
    other = client.post(dismissal_of(asked), {"reason": "Other"})
    assert other.status_code == 409
    assert "This request has been dismissed." in other.content.decode()
    asked.refresh_from_db()
    assert (asked.dismiss_reason, asked.closed_by) == ("Not ours", boss.user)
    assert AuditEvent.objects.get().action == "invitation_request.dismissed"
    assert not OutboxMessage.objects.exists()
    assert "This request has been dismissed." in client.get(dismissal_of(asked)).content.decode()


@pytest.mark.parametrize(("mails_a_day", "frozen", "status"), [(0, False, 429), (9, True, 409)])
def test_answer_that_is_refused_says_so(boss, asked, settings, mails_a_day, frozen, status):
    settings.PARTNER_DAILY_MAILS = mails_a_day
    if frozen:
        mark_frozen(boss.partner)
    client = client_of(boss.user)
    before = tables()
    response = client.post(f"/partner/requests/{asked.pk}/invitation")
    assert (response.status_code, "Retry-After" in response) == (status, status == 429)
    sentence = "The partner is frozen" if frozen else "Possible again from"
    assert sentence in response.content.decode()
    assert 'href="/partner/requests/"' in response.content.decode()
    assert tables() == before


def test_answered_request_is_not_dismissed(boss, asked):
    answer_invitation_request(invitation_request=asked, by=boss.user, now=timezone.now())
    client = client_of(boss.user)
    before = tables()
    response = client.post(dismissal_of(asked), {"reason": "Late"})
    assert response.status_code == 409
    assert "The online invitation has been sent already." in response.content.decode()
    assert tables() == before


@pytest.mark.parametrize("act", ["invitation", "dismissal"])
@pytest.mark.parametrize(
    "person",
    [
        lambda boss: PartnerMemberFactory.create(partner=boss.partner).user,
        lambda boss: PartnerMemberFactory.create(administrator=True).user,
        lambda boss: UserFactory.create(),
    ],
    ids=["manager of others", "another partner's", "customer"],
)
def test_request_of_others_does_not_exist(boss, asked, person, act):
    client = client_of(person(boss))
    before = tables()
    path = f"/partner/requests/{asked.pk}/{act}"
    assert client.post(path, {"reason": "No"}).status_code == 404
    assert tables() == before


@pytest.mark.parametrize("path", ["/partner/requests/", "/partner/requests/1/dismissal"])
def test_stranger_is_asked_to_log_in(path):
    assert Client().get(path)["Location"].startswith("/account/login/")


def test_manager_answers_without_reading_the_address(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    asked = ask(manager, address="ann@example.org")
    client = client_of(manager.user)
    client.post(f"/partner/requests/{asked.pk}/invitation")
    page = client.get("/partner/requests/").content.decode()
    assert f"The invitation to {asked.masked_address} is on its way." in page


def test_link_followed_leads_to_its_page(boss):
    invitation = InvitationFactory.create(partner=boss.partner, label="<b>Fair</b>")
    InvitationRequestFactory.create(invitation=invitation)
    assert "&lt;b&gt;Fair&lt;/b&gt;" in page_of(boss)


@pytest.mark.parametrize(
    ("query", "is_filtered"),
    [
        ("", False),
        ("?state=open", False),
        ("?q=&state=open", False),
        ("?state=nonsense", False),
        ("?state=all", True),
        ("?q=x", True),
    ],
)
def test_only_a_chosen_filter_counts(boss, query, is_filtered):
    page = page_of(boss, query)
    assert ("No request is like that." in page) is is_filtered
    assert ("There is no request." in page) is not is_filtered

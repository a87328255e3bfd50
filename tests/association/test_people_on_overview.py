"""Refused people and people who put joining off: on the overview and in the history."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.services.following_up import follow_up
from association.services.partner_messages import advise, remind_to_finish
from outbox.models import OutboxMessage
from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)
from tests.factories.partners import mark_frozen

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def invitation(boss):
    return InvitationFactory.create(partner=boss.partner, created_by=boss.user)


def client_of(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def put_off(invitation, *, age=2 * DAY):
    registered_at = NOW - age
    account = CustomerAccountFactory.create(registered_at=registered_at)
    moments = {"entered_at": registered_at, "deferred_at": registered_at + MINUTE}
    return AttemptFactory.create(invitation=invitation, account=account, **moments)


def refused(invitation, code="unpaid_bills", **values):
    return AttemptFactory.create(
        invitation=invitation, entered=True, refused=True, refusal_codes=[code], **values
    )


def actions_on(member, path="/partner/", name="refused"):
    """Return each person's attempt with the label of the action, and whether it is open."""
    rows = client_of(member).get(path).context[name]
    return [
        (row["attempt"].pk, row["action"] and (row["action"].label, row["action"].is_open))
        for row in rows
    ]


def test_refused_people_stand_on_the_overview_until_they_are_helped(boss, invitation):
    poor = refused(invitation, decided_at=NOW - MINUTE)
    known = refused(invitation, "existing_account_not_allowed")

    assert actions_on(boss) == [
        (known.pk, ("Send an online invitation", True)),
        (poor.pk, ("Send the message", True)),
    ]
    now = timezone.now()
    follow_up(attempt=known, operation="send_online_invitation", by=boss.user, now=now)
    assert actions_on(boss) == [(poor.pk, ("Send the message", True))]
    advise(attempt=poor, by=boss.user, now=now)
    assert actions_on(boss) == []


def test_customer_of_another_partner_is_written_to_until_that_has_ended(boss, invitation):
    account = make_associated().account
    other = refused(invitation, "other_partner", account=account)
    assert actions_on(boss) == [(other.pk, ("Send the message", True))]
    joined = refused(invitation, account=make_associated().account)
    mine = make_associated(invitation=InvitationFactory.create(partner=boss.partner)).account
    refused(invitation, account=mine)
    assert [key for key, _action in actions_on(boss)] == [other.pk]
    assert joined.pk != other.pk


def test_two_reasons_are_two_sentences(boss, invitation):
    codes = ["unpaid_bills", "cash_expenditure"]
    AttemptFactory.create(invitation=invitation, entered=True, refused=True, refusal_codes=codes)
    page = client_of(boss).get("/partner/").content.decode()
    assert "The account has unpaid bills. The account has paid in cash." in page


def test_the_history_says_what_was_sent(boss, invitation):
    known, later = refused(invitation, "existing_account_not_allowed"), put_off(invitation)
    history = "/partner/history/"
    assert dict(actions_on(boss, history, "rows")) == {
        known.pk: ("Send an online invitation", True),
        later.pk: ("Remind", True),
    }
    follow_up(attempt=known, operation="send_online_invitation", by=boss.user, now=timezone.now())
    remind_to_finish(attempt=later, by=boss.user, now=timezone.now())
    assert dict(actions_on(boss, history, "rows")) == {
        known.pk: ("Send an online invitation", False),
        later.pk: ("Remind", False),
    }


def test_who_joined_or_began_again_does_not_stand_among_the_refused(boss, invitation):
    joined = refused(invitation)
    make_associated(invitation=invitation, account=joined.account)
    again = refused(invitation, started_at=NOW - DAY)
    newer = refused(invitation, account=again.account)
    refused(invitation, decided_at=NOW - 31 * DAY)
    refused(InvitationFactory.create())

    assert [key for key, _action in actions_on(boss)] == [newer.pk]


def test_only_the_latest_refusals_are_searched(boss, invitation, monkeypatch):
    for module in ("services.overview", "views.console.overview"):
        monkeypatch.setattr(f"association.{module}.REFUSALS_SEARCHED", 2)
    older, latest = refused(invitation), refused(invitation)
    assert [key for key, _action in actions_on(boss)] == [latest.pk, older.pk]
    assert client_of(boss).get("/partner/").context["more_refused"] == ""

    joined = refused(invitation)
    make_associated(invitation=invitation, account=joined.account)

    page = client_of(boss).get("/partner/")
    assert [row["attempt"].pk for row in page.context["refused"]] == [latest.pk]
    assert page.context["more_refused"] == "outcome=refused"


def test_what_nobody_can_do_is_not_offered(boss, invitation):
    refused(invitation)
    mark_frozen(boss.partner)
    assert actions_on(boss) == []


def test_put_off_people_stand_by_their_deadline_with_a_reminder(boss, invitation):
    late, early = put_off(invitation, age=DAY), put_off(invitation, age=3 * DAY)
    put_off(invitation, age=8 * DAY)
    put_off(InvitationFactory.create(partner=boss.partner, revoked=True))

    rows = client_of(boss).get("/partner/").context["put_off"]

    assert [(row["attempt"].pk, row["deadline"]) for row in rows] == [
        (early.pk, early.account.registered_at + 7 * DAY),
        (late.pk, late.account.registered_at + 7 * DAY),
    ]
    assert [row["action"].label for row in rows] == ["Remind", "Remind"]


def test_a_manager_sees_the_people_of_their_own_invitations_only(boss, invitation):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    refused(invitation)
    put_off(invitation)
    mine, later = refused(own), put_off(own)

    assert [key for key, _action in actions_on(manager)] == [mine.pk]
    assert [key for key, _action in actions_on(manager, name="put_off")] == [later.pk]


@pytest.mark.parametrize("rows", [1, 3])
def test_people_take_the_same_statements(boss, invitation, rows, django_assert_num_queries):
    for _ in range(rows):
        refused(invitation)
        refused(invitation, "existing_account_not_allowed")
        put_off(invitation)
    client = client_of(boss)

    # the fourteen of an empty overview; the people of both lists; who has joined; invitations and
    # messages sent; who does not want e-mail
    with django_assert_num_queries(20):
        page = client.get("/partner/")
    assert len(page.context["put_off"]) == rows
    # session, user, member; the page, the count; those four; what waits
    with django_assert_num_queries(10):
        client.get("/partner/history/")


def test_lists_lead_to_the_text_before_it_is_sent(boss, invitation):
    poor, later = refused(invitation), put_off(invitation)
    for path in ("/partner/", "/partner/history/"):
        page = client_of(boss).get(path).content.decode()
        for attempt, place in ((poor, "message"), (later, "put_off")):
            page_url = f"/partner/history/{attempt.pk}/"
            assert f'href="{page_url}#{place}"' in page
            assert f'id="{place}"' in client_of(boss).get(page_url).content.decode()
        assert "/follow-up" not in page
        assert "/remind" not in page


def test_buttons_come_back_to_the_list_as_it_was(boss, invitation):
    attempt = refused(invitation, "existing_account_not_allowed")
    client = client_of(boss)
    page = client.get("/partner/history/?outcome=refused&q=").content.decode()
    assert 'name="query" value="outcome=refused&amp;q="' in page

    answer = client.post(
        f"/partner/history/{attempt.pk}/follow-up",
        {
            "operation": "send_online_invitation",
            "from": "history",
            "query": "outcome=refused&q=\r\na",
        },
    )

    assert answer["Location"] == "/partner/history/?outcome=refused&q=%0D%0Aa"


@pytest.mark.parametrize("action", ["remind", "follow-up"])
@pytest.mark.parametrize(
    ("query", "location"),
    [
        pytest.param("outcome=refused&size=100&x=1", "?outcome=refused&size=100", id="known"),
        pytest.param("q=" + "a" * 5_000, "?", id="long"),
        pytest.param("q=" + "é" * 254, "", id="long when written as an address"),
        pytest.param("&".join(["a=1"] * 3_000), "?", id="too many fields"),
    ],
)
def test_any_address_of_the_list_leads_back(boss, invitation, action, query, location):
    attempt = put_off(invitation) if action == "remind" else refused(invitation)
    sent = {
        "operation": "message_customer",
        "from": "history",
        "query": query,
        "form_key": "k" * 22,
    }
    answers = [
        client_of(boss).post(f"/partner/history/{attempt.pk}/{action}", sent) for _ in range(2)
    ]
    assert [one["Location"] for one in answers] == [f"/partner/history/{location}"] * 2
    assert OutboxMessage.objects.filter(about_id=attempt.pk).count() == 1

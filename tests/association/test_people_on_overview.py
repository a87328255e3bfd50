"""Refused people and people who put joining off: on the overview and in the history."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.models import Attempt
from association.services.following_up import follow_up
from association.services.partner_messages import advise, remind_to_finish
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from partners.models import Invitation
from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)
from tests.factories.partners import mark_frozen
from tests.shown_texts import unbroken

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
    known = refused(invitation, "existing_account_not_allowed")
    for path in ("/partner/", "/partner/history/"):
        page = client_of(boss).get(path).content.decode()
        for attempt, place in ((poor, "message"), (later, "put_off"), (known, "refusals")):
            page_url = f"/partner/history/{attempt.pk}/"
            assert f'href="{page_url}#{place}"' in page
            assert f'id="{place}"' in client_of(boss).get(page_url).content.decode()
        assert "/follow-up" not in page
        assert "/remind" not in page


@pytest.mark.parametrize("code", ["existing_account_not_allowed", "invitation_expired"])
def test_page_shows_the_invitation_that_its_button_sends(boss, code):
    by_email = code == "invitation_expired"
    offer = InvitationFactory.create(
        partner=boss.partner, created_by=boss.user, email=by_email, expired=by_email
    )
    attempt = refused(offer, code)
    if by_email:
        Invitation.objects.filter(pk=offer.pk).update(recipient=attempt.account.owner.email)
    page = client_of(boss).get(f"/partner/history/{attempt.pk}/")
    [refusal] = page.context["refusals"]
    shown = refusal["email"]
    manager = PartnerMemberFactory.create(partner=boss.partner)
    Invitation.objects.filter(pk=offer.pk).update(created_by=manager.user)
    Attempt.objects.filter(pk=attempt.pk).update(invited_by=manager.user)
    to_manager = client_of(manager).get(f"/partner/history/{attempt.pk}/")

    follow_up(
        attempt=Attempt.objects.get(pk=attempt.pk),
        operation=refusal["operation"],
        by=boss.user,
        now=timezone.now(),
    )

    sent = render_message(OutboxMessage.objects.get())
    links = re.compile(r"https?://\S+/(i|no-more-invitations)/\S+")
    assert shown.subject == sent.subject
    assert links.sub("", shown.text) == links.sub("", sent.text)
    assert attempt.account.owner.email in shown.text
    assert attempt.account.owner.email not in unbroken(to_manager)

"""Invitations whose e-mail will never arrive: marked, filtered, counted while it lasts."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from association.services.invariants.checking import find_violations
from outbox.models import DEADLINE_PASSED, OutboxMessage
from outbox.services import queue
from outbox.services.queue import (
    claim_messages,
    drop_late_messages,
    drop_message,
    mark_dead,
    mark_sent,
    revive_message,
)
from partners.models import Invitation
from partners.services.invitations import create_invitation, resend_invitation, revoke_invitation
from tests.factories import InvitationBatchFactory, InvitationFactory, PartnerMemberFactory

pytestmark = pytest.mark.django_db

LIST = "/partner/invitations/"
ERROR = "550 SMTPRecipientsRefused"


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    return client


def invite(boss, address="ada@example.org", **terms):
    return create_invitation(
        partner=boss.partner,
        channel="email",
        association_type="reseller",
        label=address,
        recipient=address,
        by=boss.user,
        now=timezone.now(),
        **terms,
    )


def refuse(invitation):
    """Let the mail server refuse what waits for the invitation."""
    now = timezone.now()
    for message in OutboxMessage.objects.waiting().filter(about_id=str(invitation.pk)):
        mark_dead(message=message, error=ERROR, now=now)
    invitation.refresh_from_db()
    return now


def expire(invitation, **ago):
    at = timezone.now() - timedelta(**ago)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=at)


def labels(client, query="delivery=undelivered"):
    page = client.get(f"{LIST}?{query}")
    return [row["invitation"].label for row in page.context["rows"]]


def counted(client):
    return client.get("/partner/").context["undelivered"].number


def test_refused_invitation_is_marked_with_the_reason_filtered_and_counted(boss, client):
    refused, sent = invite(boss), invite(boss, "bo@example.org")
    mark_sent(messages=OutboxMessage.objects.filter(about_id=str(sent.pk)), now=timezone.now())
    at = refuse(refused)

    assert refused.undelivered_at == at
    assert labels(client) == ["ada@example.org"]
    assert labels(client, "") == ["bo@example.org", "ada@example.org"]
    page = client.get(LIST).content.decode()
    assert page.count("E-mail refused (550)") == 1
    overview = client.get("/partner/").content.decode()
    assert "1 invitation did not arrive" in " ".join(overview.split())
    assert f'href="{LIST}?delivery=undelivered"' in overview
    assert list(find_violations()) == []


def test_trouble_ends_when_it_is_sent_again_and_comes_back_when_that_is_refused(boss, client):
    invitation = invite(boss)
    refuse(invitation)
    resend_invitation(invitation=invitation, by=boss.user, now=timezone.now())
    assert (labels(client), counted(client)) == ([], 0)
    assert list(find_violations()) == []

    refuse(invitation)

    assert (labels(client), counted(client)) == (["ada@example.org"], 1)


@pytest.mark.parametrize(
    "end",
    [
        lambda row: revoke_invitation(invitation=row, by=None, now=timezone.now()),
        lambda row: Invitation.objects.filter(pk=row.pk).update(used_count=1),
        lambda row: expire(row, days=30),
    ],
    ids=["revoked", "used", "expired long ago"],
)
def test_trouble_ends_with_the_invitation(boss, client, end):
    invitation = invite(boss)
    refuse(invitation)
    assert counted(client) == 1

    end(invitation)

    assert (labels(client), counted(client)) == ([], 0)
    assert "E-mail refused" not in client.get(LIST).content.decode()


def drop_late(invitation):
    """Let the deadline of the invitation's e-mail pass; it is that of the link."""
    at = invitation.expires_at
    assert drop_late_messages(now=at) == 1
    invitation.refresh_from_db()
    return at


def test_an_e_mail_that_was_not_sent_in_time_is_undelivered_and_says_why(boss, client):
    expires_at = timezone.now() - timedelta(days=1)
    invitation, other = invite(boss), invite(boss, "bo@example.org")
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=expires_at)
    OutboxMessage.objects.filter(about_id=str(invitation.pk)).update(deadline_at=expires_at)
    invitation.refresh_from_db()

    at = drop_late(invitation)

    assert invitation.undelivered_at == at
    assert (labels(client), counted(client)) == (["ada@example.org"], 1)
    assert client.get(LIST).content.decode().count("E-mail not sent in time") == 1
    for row, marks in ((invitation, 1), (other, 0)):
        page = client.get(f"{LIST}{row.pk}/").content.decode()
        assert page.count("E-mail not sent in time") == marks
    assert [row for row in find_violations() if row.invariant == "I8"] == []

    resend_invitation(invitation=invitation, by=boss.user, now=timezone.now())

    assert (labels(client), counted(client)) == ([], 0)


def test_the_worker_marks_what_becomes_late_while_it_sends(boss, client):
    """It was claimed in time, and the mail server answered too slowly."""
    invitation = invite(boss)
    [message] = claim_messages(now=timezone.now(), limit=1)

    drop_message(message=message, reason=DEADLINE_PASSED, now=timezone.now())

    invitation.refresh_from_db()
    assert invitation.undelivered_at == OutboxMessage.objects.get().dropped_at


def test_what_was_not_needed_any_more_is_not_undelivered(boss, client):
    invitation = invite(boss)
    drop_message(
        message=OutboxMessage.objects.get(), reason="invitation_revoked", now=timezone.now()
    )
    invitation.refresh_from_db()
    assert (invitation.undelivered_at, counted(client)) == (None, 0)
    assert list(find_violations()) == []


def test_late_messages_are_dropped_some_at_a_time_and_the_others_at_once(boss, monkeypatch):
    for number in range(3):
        invite(boss, f"a{number}@example.org")
    others = OutboxMessage.objects.filter(recipient="a0@example.org")
    others.update(kind="accounts.verification_code")
    late = timezone.now() + timedelta(days=30)
    monkeypatch.setattr(queue, "LATE_AT_ONCE", 1)
    assert [drop_late_messages(now=late) for _ in range(3)] == [2, 1, 0]


@pytest.mark.parametrize("days", [-1, 0, 29, 30, 31])
@pytest.mark.parametrize(
    "fields", [{}, {"used_count": 1}, {"revoked_at": timezone.now()}, {"undelivered_at": None}]
)
def test_list_and_row_have_one_rule(boss, days, fields):
    now = timezone.now()
    values = {"undelivered_at": now, "expires_at": now - timedelta(days=days), **fields}
    row = InvitationFactory.create(partner=boss.partner, email=True, **values)
    is_listed = Invitation.objects.undelivered(now).filter(pk=row.pk).exists()
    assert row.is_undelivered(now) is is_listed is (not fields and days < 30)


def test_an_older_e_mail_that_is_refused_late_marks_nothing(boss):
    invitation = invite(boss)
    [older] = claim_messages(now=timezone.now(), limit=1)
    resend_invitation(invitation=invitation, by=boss.user, now=timezone.now())

    mark_dead(message=older, error=ERROR, now=timezone.now())

    invitation.refresh_from_db()
    assert invitation.undelivered_at is None
    assert list(find_violations()) == []


def test_a_revived_e_mail_is_no_trouble_until_it_is_refused_again(boss):
    invitation = invite(boss)
    refuse(invitation)
    revive_message(message=OutboxMessage.objects.get(), by=None, now=timezone.now())
    invitation.refresh_from_db()
    assert invitation.undelivered_at is None
    at = refuse(invitation)
    assert invitation.undelivered_at == at


def test_check_invariants_compares_the_mark_with_the_outbox(boss):
    marked, unmarked, other = invite(boss), invite(boss, "bo@example.org"), invite(boss, "c@x.org")
    for row in (unmarked, other):
        refuse(row)
    now = timezone.now() + timedelta(seconds=5)
    for row, at in ((marked, now), (unmarked, None), (other, now)):
        Invitation.objects.filter(pk=row.pk).update(undelivered_at=at)

    found = {(row.invariant, row.object) for row in find_violations()}

    assert found == {("I8", f"partners.invitation:{row.pk}") for row in (marked, unmarked, other)}


def test_a_link_is_never_undelivered():
    with pytest.raises(IntegrityError), transaction.atomic():
        InvitationFactory.create(undelivered_at=timezone.now())


def test_the_page_of_a_batch_counts_its_own_trouble(boss, client):
    batch = InvitationBatchFactory.create(partner=boss.partner, email=True, created_by=boss.user)
    refuse(invite(boss))
    inside = invite(boss, "bo@example.org")
    Invitation.objects.filter(pk=inside.pk).update(batch=batch)
    refuse(inside)

    page = client.get(f"{LIST}batches/{batch.pk}/")

    [delivery] = page.context["deliveries"]
    assert (delivery["number"], delivery["is_undelivered"]) == (1, True)
    assert labels(client, f"delivery=undelivered&batch={batch.pk}") == ["bo@example.org"]


def test_a_manager_sees_the_trouble_of_their_own_invitations(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    refuse(invite(boss))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(manager.user)
    assert (labels(client), counted(client)) == ([], 0)


@pytest.mark.parametrize("rows", [1, 3])
def test_marks_take_two_statements(boss, client, rows, django_assert_num_queries):
    for number in range(rows):
        refuse(invite(boss, f"a{number}@example.org"))
    # the twelve of the list with its batches; the marked: who does not want e-mail, the deliveries
    with django_assert_num_queries(15):
        page = client.get(LIST)
    assert page.content.decode().count("E-mail refused (550)") == rows


def test_limit_of_three_is_told_before_sending(boss, client):
    invitation = invite(boss)
    page_url, limit = f"{LIST}{invitation.pk}/", "at most three invitations"
    new_url = f"{LIST}email/new"
    typed = {"recipient": "ada@example.org", "association_type": "reseller", "action": "preview"}
    typed["invites_anyway"] = "on"
    again = "This person was sent three invitations within 24 hours."
    assert limit in client.get(new_url).content.decode()
    assert limit in client.get(page_url).content.decode()
    assert again not in client.post(new_url, typed).content.decode()

    for _ in range(2):
        resend_invitation(invitation=invitation, by=boss.user, now=timezone.now())

    first = OutboxMessage.objects.order_by("pk").first()
    for page in (client.post(new_url, typed), client.get(page_url)):
        assert page.status_code == 200
        assert page.context["again_at"] == first.created_at + timedelta(days=1)
        assert again in " ".join(page.content.decode().split())
    assert "/resend" not in client.get(page_url).content.decode()


def test_invitation_to_a_refused_address_can_be_sent_to_another_one(boss, client):
    refused = invite(boss, recipient_name="Ada", customer_name="Ada Ltd", reference="C-7")
    page, new = f"{LIST}{refused.pk}/", f"{LIST}email/new?copy={refused.pk}"
    assert new not in client.get(page).content.decode()
    refuse(refused)
    shown = client.get(page).content.decode()
    assert f'href="{new}"' in shown
    assert "If the address is wrong, send the invitation to another one." in shown
    form = client.get(new).context["form"]
    names = ("recipient_name", "customer_name", "reference", "association_type")
    assert [form[name].value() for name in names] == ["Ada", "Ada Ltd", "C-7", "reseller"]
    assert form["recipient"].value() is None

"""Invitations whose e-mail was refused for good: marked, filtered, counted while it lasts."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from association.services.invariants.checking import find_violations
from outbox.models import OutboxMessage
from outbox.services.queue import claim_messages, mark_dead, mark_sent, revive_message
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


def labels(client, query="delivery=trouble"):
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
    assert f'href="{LIST}?delivery=trouble"' in overview
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
        lambda row: Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now()),
    ],
    ids=["revoked", "used", "expired"],
)
def test_trouble_ends_with_the_invitation(boss, client, end):
    invitation = invite(boss)
    refuse(invitation)
    assert counted(client) == 1

    end(invitation)

    assert (labels(client), counted(client)) == ([], 0)
    assert "E-mail refused" not in client.get(LIST).content.decode()


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
    assert (delivery["number"], delivery["is_trouble"]) == (1, True)
    assert labels(client, f"delivery=trouble&batch={batch.pk}") == ["bo@example.org"]


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

"""What came of a batch: its funnel, the delivery of its e-mails, its files and its name."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import DEADLINE_PASSED, OutboxMessage
from partners.enums import DeliveryState
from partners.models import Invitation
from partners.services.delivery_state import (
    count_deliveries,
    deliveries_of,
    deliveries_of_batch,
)
from partners.services.invitation_drafts import enqueue_invitation_emails
from partners.services.pages import Count
from partners.services.progress import Progress, joined_by_batches, progress_of_batch
from tests.csv_files import lines_of
from tests.factories import (
    AttemptFactory,
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
)

pytestmark = pytest.mark.django_db

LIST = "/partner/invitations/batches/"
NOW = timezone.now()
# How an e-mail can be, by what the outbox stores.
EMAILS = {
    DeliveryState.ON_ITS_WAY: {},
    DeliveryState.RETRIED: {"last_error": "451 4.7.1 Try again later"},
    DeliveryState.SENT: {"sent_at": NOW},
    DeliveryState.REFUSED: {"dead_at": NOW, "last_error": "550 5.1.1 No such user"},
    DeliveryState.FAILED: {"dead_at": NOW, "last_error": "ConnectionRefusedError"},
    DeliveryState.LATE: {"dropped_at": NOW, "drop_reason": DEADLINE_PASSED},
    DeliveryState.DROPPED: {"dropped_at": NOW, "drop_reason": "revoked"},
}
CODES = {DeliveryState.RETRIED: "451", DeliveryState.REFUSED: "550"}


@pytest.fixture
def member():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def batch_of(member, **fields):
    return InvitationBatchFactory.create(
        partner=member.partner, created_by=member.user, done_count=3, finished_at=NOW, **fields
    )


def mailed(batch, recipient, **fields):
    """Return an invitation of the batch with an e-mail that is as the fields say."""
    invitation = InvitationFactory.create(
        batch=batch, partner=batch.partner, email=True, recipient=recipient, mailed_at=NOW
    )
    enqueue_invitation_emails([invitation], now=NOW)
    if fields:
        OutboxMessage.objects.filter(recipient=recipient).update(**fields)
    return invitation


@pytest.mark.parametrize("state", EMAILS)
def test_counted_state_is_that_of_the_invitations_page(member, state):
    batch = batch_of(member, email=True)
    invitation = mailed(batch, "ada@example.org", **EMAILS[state])
    delivery = deliveries_of([invitation])[invitation.pk]
    assert (delivery.state, delivery.code) == (state, CODES.get(state, ""))
    assert deliveries_of_batch(batch) == {invitation.pk: delivery}


def test_only_the_newest_email_counts(member):
    batch = batch_of(member, email=True)
    invitation = mailed(batch, "ada@example.org", **EMAILS[DeliveryState.REFUSED])
    enqueue_invitation_emails([invitation], now=NOW)
    mailed(batch_of(member, email=True), "bob@example.org")
    found = deliveries_of_batch(batch)
    assert {key: delivery.state for key, delivery in found.items()} == {
        invitation.pk: DeliveryState.ON_ITS_WAY
    }


def test_refusals_of_one_code_are_one_line(member):
    batch = batch_of(member, email=True)
    mailed(batch, "ada@example.org", dead_at=NOW, last_error="550 No such user")
    mailed(batch, "bob@example.org", dead_at=NOW, last_error="550-5.1.1 unknown")
    mailed(batch, "eve@example.org", sent_at=NOW)
    assert count_deliveries(deliveries_of_batch(batch).values()) == [
        (DeliveryState.REFUSED, "550", 2),
        (DeliveryState.SENT, "", 1),
    ]


def test_refused_addresses_are_a_file(client, member):
    batch = batch_of(member, email=True)
    mailed(batch, "ada@example.org", **EMAILS[DeliveryState.REFUSED])
    mailed(batch, "bob@example.org", **EMAILS[DeliveryState.SENT])
    mailed(batch, "eve@example.org", **EMAILS[DeliveryState.LATE])
    answer = client.get(f"{LIST}{batch.pk}/undelivered.csv")
    assert lines_of(answer) == [
        "Address,Reason",
        "ada@example.org,Refused by the mail server (SMTP 550)",
        "eve@example.org,Not sent in time",
    ]


def test_outcomes_are_a_file(client, member):
    batch = batch_of(member)
    member.partner.time_zone = "Asia/Tokyo"
    member.partner.save()
    InvitationFactory.create(
        batch=batch, partner=batch.partner, label="Fair 1", revoked_at=NOW, created_at=NOW
    )
    InvitationFactory.create(
        batch=batch, partner=batch.partner, label="Fair 2", created_at=NOW + timedelta(seconds=1)
    )
    answer = client.get(f"{LIST}{batch.pk}/outcomes.csv")
    lines = lines_of(answer)
    links = list(Invitation.objects.order_by("label"))
    moment = (NOW + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S+09:00")
    assert lines[1:] == [
        f"Fair 1,,,{links[0].link},,Revoked,{moment}",
        f"Fair 2,,,{links[1].link},,Live,",
    ]


def test_funnel_is_the_sum_of_the_invitations(client, member):
    batch = batch_of(member)
    for number in range(3):
        invitation = InvitationFactory.create(batch=batch, partner=batch.partner, used_count=number)
        AttemptFactory.create(invitation=invitation)
    AttemptFactory.create(invitation=InvitationFactory.create(partner=batch.partner, used_count=9))
    assert progress_of_batch(batch) == Progress(Count(3, False), Count(0, False), Count(0, False))
    assert joined_by_batches([batch]) == {batch.pk: Count(3, False)}
    shown = client.get(f"{LIST}{batch.pk}/")
    bars = [(bar["label"], bar["count"].number) for bar in shown.context["funnel"]]
    assert bars == [
        *(("Invitations", 3), ("Started", 3), ("Registered", 0)),
        *(("Associated", 3), ("Refused", 0)),
    ]


@pytest.mark.parametrize("rows", [1, 3])
def test_page_has_a_constant_query_count(client, member, rows, django_assert_num_queries):
    batch = batch_of(member, email=True)
    for number in range(rows):
        mailed(batch, f"p{number}@example.org", **EMAILS[DeliveryState.REFUSED])
    with django_assert_num_queries(12):
        client.get(f"{LIST}{batch.pk}/")


def test_batch_is_renamed_and_its_labels_stay(client, member):
    batch = batch_of(member, label="Fair {n}")
    page = f"{LIST}{batch.pk}/name"
    version = client.get(page).context["form"].version_field.initial
    answer = client.post(page, {"name": "Spring fair", "shown_version": version})
    assert (answer.status_code, answer["Location"]) == (303, f"{LIST}{batch.pk}/")
    batch.refresh_from_db()
    assert (batch.name, batch.label, batch.title) == ("Spring fair", "Fair {n}", "Spring fair")
    event = AuditEvent.objects.get(action="batch.renamed")
    assert (event.before, event.after) == ({"name": ""}, {"name": "Spring fair"})
    assert [found for found in find_violations() if found.invariant == "I7"] == []
    assert "Spring fair" in client.get(f"{LIST}?q=spring").content.decode()


def test_name_that_changed_meanwhile_is_a_conflict(client, member):
    batch = batch_of(member)
    page = f"{LIST}{batch.pk}/name"
    version = client.get(page).context["form"].version_field.initial
    type(batch).objects.update(name="Autumn fair")
    answer = client.post(page, {"name": "Spring fair", "shown_version": version})
    assert answer.status_code == 409
    assert "Now it is “Autumn fair”." in answer.content.decode()
    batch.refresh_from_db()
    assert batch.name == "Autumn fair"

"""The delivery of an invitation's e-mail, read from the outbox."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from outbox.models import OutboxMessage
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import DeliveryState
from partners.services.delivery_state import Delivery, deliveries_of
from tests.factories import InvitationFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 5, 4, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def mailed(invitation, **outcome):
    outgoing = OutgoingMessage("partners.invitation", invitation.recipient, invitation, "en")
    (message,) = enqueue_messages(messages=[outgoing], now=NOW)
    OutboxMessage.objects.filter(pk=message.pk).update(**outcome)


@pytest.mark.parametrize(
    ("outcome", "delivery", "words"),
    [
        ({}, Delivery(DeliveryState.ON_ITS_WAY, NOW), "On its way"),
        ({"tries": 1}, Delivery(DeliveryState.ON_ITS_WAY, NOW), "On its way"),
        (
            {"last_error": "451 SMTPDataError", "next_try_at": LATER},
            Delivery(DeliveryState.RETRIED, NOW, "451", LATER),
            "(SMTP 451). The next try is on",
        ),
        (
            {"last_error": "TimeoutError", "next_try_at": LATER},
            Delivery(DeliveryState.RETRIED, NOW, "", LATER),
            "could not be sent for now",
        ),
        (
            {"sent_at": LATER},
            Delivery(DeliveryState.SENT, LATER),
            "The mail server took the e-mail",
        ),
        (
            {"dead_at": LATER, "last_error": "550 SMTPRecipientsRefused"},
            Delivery(DeliveryState.REFUSED, LATER, "550"),
            "refused the e-mail for good (SMTP 550)",
        ),
        (
            {"dead_at": LATER, "last_error": "not a plain address"},
            Delivery(DeliveryState.FAILED, LATER),
            "Not sent",
        ),
        (
            {"dropped_at": LATER, "drop_reason": "deadline passed"},
            Delivery(DeliveryState.LATE, LATER),
            "could not be sent in time",
        ),
        (
            {"dropped_at": LATER, "drop_reason": "invitation_revoked"},
            Delivery(DeliveryState.DROPPED, LATER),
            "could no longer be followed",
        ),
    ],
)
def test_delivery_shows_the_state_of_the_email(outcome, delivery, words):
    invitation = InvitationFactory(email=True)
    mailed(invitation, **outcome)
    assert deliveries_of([invitation]) == {invitation.pk: delivery}
    shown = render_to_string("partners/_delivery.html", {"delivery": delivery})
    assert words in " ".join(shown.split())


def test_newest_email_counts_and_an_invitation_never_mailed_is_not_there():
    twice, never = InvitationFactory(email=True), InvitationFactory(email=True)
    mailed(twice, sent_at=NOW)
    mailed(twice)
    assert deliveries_of([twice, never]) == {twice.pk: Delivery(DeliveryState.ON_ITS_WAY, NOW)}
    assert "Not mailed" in render_to_string("partners/_delivery.html", {"delivery": None})


@pytest.mark.parametrize("rows", [1, 3])
def test_deliveries_are_read_with_two_statements(rows, django_assert_num_queries):
    invitations = InvitationFactory.create_batch(rows, email=True)
    for invitation in invitations:
        mailed(invitation, sent_at=NOW)
    with django_assert_num_queries(2):
        assert len(deliveries_of(invitations)) == rows

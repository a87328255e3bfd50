"""Readers unsubscribe while their invitations are sent, on PostgreSQL; with positive control."""

import threading
import time

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

import outbox.services.delivery as delivery
import partners.emails
from outbox.models import OutboxMessage
from outbox.services.delivery import MailSender
from outbox.services.queue import has_due_messages
from outbox.services.rendering import render_message
from partners.contact_lists.reading import read_list
from partners.enums import DeliveryState
from partners.models import Invitation
from partners.services.delivery_state import deliveries_of
from partners.services.mailings import draft_mailing, mail_batches, start_mailing
from partners.services.unsubscribe_links import find_reader, unsubscribe, unsubscribe_url
from tests.association.test_races import PATIENCE, at_once
from tests.factories import PartnerMemberFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

PEOPLE = [f"person{number}@example.org" for number in range(30)]
REASON = "does not want e-mail"


class Mails(BaseEmailBackend):
    """A mail server that takes a moment for each e-mail, and remembers to whom they went."""

    sent: list[str]

    def send_messages(self, messages):
        time.sleep(0.01)
        self.sent += [address for message in messages for address in message.to]
        return len(messages)


class Sending:
    """A list that two workers mail while one reader after the other unsubscribes."""

    def __init__(self, monkeypatch):
        self.member = PartnerMemberFactory.create(administrator=True)
        self.sent, self.begun, self.unsubscribed = [], {}, {}
        self.has_begun = threading.Event()

        def note_and_write(message):
            self.begun[message.recipient] = time.monotonic()
            self.has_begun.set()
            return render_message(message)

        monkeypatch.setattr(delivery, "render_message", note_and_write)
        # Each claim is small, so that most come after the first readers have unsubscribed.
        monkeypatch.setattr(delivery, "BATCH_SIZE", 3)

    def start(self):
        member, now = self.member, timezone.now()
        terms = {"association_type": "reseller", "label": "Fair", "is_bound": True}
        people = read_list("\n".join(["email", *PEOPLE])).people
        batch = draft_mailing(
            partner=member.partner, people=people, by=member.user, now=now, **terms
        )
        start_mailing(batch=batch, subject="", note="", by=member.user, now=now)
        while mail_batches(now=now):
            pass

    def work(self):
        connection = Mails()
        connection.sent = self.sent
        while has_due_messages(now=timezone.now()):
            MailSender(connection).deliver_batch()

    def unsubscribe(self):
        """Unsubscribe every second reader, the last of the list first."""
        assert self.has_begun.wait(PATIENCE)
        for address in PEOPLE[::-2]:
            url = unsubscribe_url(partner=self.member.partner, address=address)
            unsubscribe(reader=find_reader(url.rsplit("/", 1)[1]), now=timezone.now())
            # Read after the commit.
            self.unsubscribed[address] = time.monotonic()

    def run(self):
        self.start()
        at_once(lambda act: act(), [self.work, self.work, self.unsubscribe])
        return self

    def sent_in_spite(self):
        """Return who got an e-mail that was begun after the reader's unsubscribing."""
        return [
            address
            for address, moment in self.unsubscribed.items()
            if address in self.sent and self.begun[address] > moment
        ]


def test_no_e_mail_is_begun_for_a_reader_who_has_unsubscribed(monkeypatch):
    sending = Sending(monkeypatch).run()

    assert sending.sent_in_spite() == []
    assert len(sending.unsubscribed) == len(PEOPLE) / 2
    dropped = OutboxMessage.objects.filter(drop_reason=REASON)
    kept_from = set(dropped.values_list("recipient", flat=True))
    assert kept_from != set()
    assert kept_from <= set(sending.unsubscribed)
    assert sorted(sending.sent) == sorted(set(PEOPLE) - kept_from)
    states = deliveries_of(list(Invitation.objects.filter(recipient__in=sending.unsubscribed)))
    assert len(states) == len(sending.unsubscribed)
    assert {shown.state for shown in states.values()} == {DeliveryState.UNSUBSCRIBED}


def test_without_the_check_readers_get_it_in_spite(monkeypatch):
    """The positive control: the e-mail's own check is what stops it."""
    monkeypatch.setattr(partners.emails, "is_suppressed", lambda **who: False)
    assert Sending(monkeypatch).run().sent_in_spite() != []

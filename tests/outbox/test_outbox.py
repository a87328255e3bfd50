"""The outbox over a real SMTP server: every e-mail is sent once, also when a part fails."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from outbox.models import OutboxMessage
from outbox.services.delivery import MailSender, MailServerAway
from outbox.services.queue import (
    LONGEST_WAIT,
    TIME_FOR_THE_BATCH,
    OutgoingMessage,
    claim_messages,
    enqueue_messages,
    longest_send,
    retry_moment,
)
from partners.models import Invitation
from tests.factories import InvitationFactory
from tests.outbox.mail_server import MailServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server() -> MailServer:
    return MailServer()


@pytest.fixture
def listening(server: MailServer) -> Iterator[MailServer]:
    with server.running():
        yield server


def smtp(server: MailServer) -> BaseEmailBackend:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    return get_connection(backend, host=server.host, port=server.port, timeout=0.3)


def enqueue(invitation=None, **values) -> OutboxMessage:
    invitation = invitation or InvitationFactory(email=True)
    values = {
        "kind": "partners.invitation",
        "to": invitation.recipient,
        "about": invitation,
        "language": "en",
    } | values
    (message,) = enqueue_messages(messages=[OutgoingMessage(**values)], now=timezone.now())
    return message


def later(**delta: float):
    moment = timezone.now() + timedelta(**delta)
    return lambda: moment


def deliver(server: MailServer, clock=timezone.now) -> int:
    return MailSender(smtp(server), clock=clock).deliver_batch()


def test_message_is_sent_once_with_its_headers(listening, settings):
    settings.PROVIDER_NAME = "Wolke, Übersee"
    message = enqueue()
    assert [deliver(listening), deliver(listening)] == [1, 0]
    (mail,) = listening.mails
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["To"] == message.recipient
    assert mail["From"].addresses[0].display_name == "Wolke, Übersee"
    assert mail["From"].addresses[0].addr_spec == settings.DEFAULT_FROM_EMAIL
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    message.refresh_from_db()
    assert (message.sent_at is not None, message.tries, message.last_error) == (True, 1, "")


def test_batch_uses_one_connection(listening):
    for _ in range(3):
        enqueue()
    assert deliver(listening) == 3
    assert (len(listening.mails), listening.connections) == (3, 1)


def test_refused_connection_counts_no_try_and_is_retried_at_once(server):
    message = enqueue()
    for _ in range(2):
        with pytest.raises(MailServerAway):
            deliver(server)
    message.refresh_from_db()
    assert (message.tries, message.next_try_at) == (0, message.created_at)
    with server.running():
        assert deliver(server) == 1
    assert server.recipients == [message.recipient]


@pytest.mark.parametrize(
    ("fault", "error", "copies"),
    [
        ("451", "451 SMTPRecipientsRefused", 1),
        ("hang", "SMTPServerDisconnected", 1),
        ("drop after DATA", "SMTPServerDisconnected", 2),
    ],
)
def test_temporary_error_is_retried_and_stops_no_other_message(listening, fault, error, copies):
    failing, other = enqueue(), enqueue()
    listening.faults[failing.recipient] = fault
    before = timezone.now()
    assert deliver(listening) == 2
    failing.refresh_from_db()
    assert (failing.last_error, failing.sent_at, failing.dead_at) == (error, None, None)
    assert failing.next_try_at - before >= timedelta(minutes=1)
    assert listening.recipients.count(other.recipient) == 1
    listening.faults.clear()
    assert deliver(listening) == 0
    assert deliver(listening, later(minutes=2)) == 1
    ids = [mail["Message-ID"] for mail in listening.mails if mail["To"] == failing.recipient]
    assert ids == [failing.message_id] * copies


def test_message_to_a_refused_recipient_is_dead_and_never_retried(listening):
    refused, other = enqueue(), enqueue()
    listening.faults[refused.recipient] = "550"
    deliver(listening)
    listening.faults.clear()
    assert deliver(listening, later(hours=2)) == 0
    refused.refresh_from_db()
    assert (refused.dead_at is not None, refused.sent_at) == (True, None)
    assert (refused.last_error, refused.tries) == ("550 SMTPRecipientsRefused", 1)
    assert listening.recipients == [other.recipient]


def test_message_past_its_deadline_is_dropped_even_while_the_server_is_away(server):
    message = enqueue(deadline_at=timezone.now() + timedelta(minutes=10))
    assert deliver(server, later(minutes=10)) == 1
    message.refresh_from_db()
    assert (message.drop_reason, message.sent_at) == ("deadline passed", None)


def test_outage_of_ten_minutes_drops_only_messages_past_their_deadline(server):
    code = enqueue(deadline_at=timezone.now() + timedelta(minutes=9))
    letter = enqueue()
    for minutes in (0, 4, 8):
        with pytest.raises(MailServerAway):
            deliver(server, later(minutes=minutes))
    with server.running():
        deliver(server, later(minutes=10))
    code.refresh_from_db()
    assert server.recipients == [letter.recipient]
    assert code.drop_reason == "deadline passed"


def test_stale_message_is_dropped_with_its_reason(listening):
    message = enqueue(InvitationFactory(email=True, revoked=True))
    assert deliver(listening) == 1
    message.refresh_from_db()
    assert (message.drop_reason, listening.mails) == ("invitation_revoked", [])


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"kind": "partners.nothing"}, "unknown kind"),
        ({"kind": "nowhere.invitation"}, "unknown kind"),
        ({"kind": "os.system"}, "unknown kind"),
        ({"kind": "partners.mask_address"}, "unknown kind"),
        ({"kind": "partners.timezone"}, "unknown kind"),
        ({"kind": "partners"}, "unknown kind"),
        ({"about_id": "0"}, "what it was about is gone"),
        ({"about_id": "x"}, "what it was about is gone"),
        ({"about_label": "accounts.user"}, "about something else"),
        ({"recipient": "a@x.org, b@y.org"}, "not a plain address"),
        ({"recipient": "a@x.org\r\nBcc: b@y.org"}, "not a plain address"),
        ({"recipient": "=?utf-8?q?b?=@y.org"}, "not a plain address"),
        ({"recipient": "A <a@x.org>"}, "not a plain address"),
    ],
)
def test_undeliverable_message_is_dead_and_stops_no_other(listening, values, error):
    undeliverable, other = enqueue(), enqueue()
    OutboxMessage.objects.filter(pk=undeliverable.pk).update(**values)
    assert deliver(listening) == 2
    undeliverable.refresh_from_db()
    assert (undeliverable.last_error, undeliverable.dead_at is not None) == (error, True)
    assert listening.recipients == [other.recipient]


def test_hostile_names_cannot_add_headers_or_markup(listening):
    name = "Evil\r\nBcc: b@y.org\u2028\x1b[31m <script>"
    invitation: Invitation = InvitationFactory(
        email=True, partner__name=name, recipient_name=name, note=f"{name}\n-- \nThe provider"
    )
    enqueue(invitation)
    deliver(listening)
    (mail,) = listening.mails
    assert listening.recipients == [invitation.recipient]
    assert mail["Bcc"] is None
    clean = "Evil Bcc: b@y.org [31m <script>"
    assert mail["Subject"] == f"{clean} invites you to become its customer on Example Cloud"
    html = mail.get_body(("html",)).get_content()
    assert "<script" not in html
    text = mail.get_body(("plain",)).get_content()
    assert [line for line in text.splitlines() if line == "The provider"] == []


class DyingBackend:
    """A connection whose process is killed after the server has accepted the e-mail."""

    def __init__(self, connection: BaseEmailBackend) -> None:
        self.connection = connection

    def open(self):
        return self.connection.open()

    def close(self):
        self.connection.close()

    def send_messages(self, emails):
        self.connection.send_messages(emails)
        raise SystemExit


def test_crash_between_send_and_mark_repeats_the_same_message_id_once(listening):
    message = enqueue()
    with pytest.raises(SystemExit):
        MailSender(DyingBackend(smtp(listening))).deliver_batch()
    assert deliver(listening) == 0, "the lease has not ended"
    after_lease = later(seconds=(longest_send() + TIME_FOR_THE_BATCH).total_seconds() + 1)
    assert [deliver(listening, after_lease), deliver(listening, after_lease)] == [1, 0]
    assert [mail["Message-ID"] for mail in listening.mails] == [message.message_id] * 2


@pytest.mark.parametrize("seconds", [1, 10, 60])
def test_lease_is_longer_than_the_slowest_mail_server(settings, seconds):
    settings.EMAIL_TIMEOUT = seconds
    enqueue()
    now = timezone.now()
    (message,) = claim_messages(now=now, limit=20)
    assert longest_send() == timedelta(seconds=15 * seconds)
    assert message.next_try_at == now + longest_send() + TIME_FOR_THE_BATCH


def test_message_whose_lease_could_end_is_not_sent(listening):
    for _ in range(2):
        enqueue()
    start, slow = timezone.now(), TIME_FOR_THE_BATCH + timedelta(seconds=1)

    def clock():
        return start + slow * len(listening.envelopes)

    assert MailSender(smtp(listening), clock=clock).deliver_batch() == 1
    assert list(OutboxMessage.objects.waiting().values_list("tries", flat=True)) == [0]


def test_rest_of_a_batch_is_released_when_told_to_stop(listening):
    for _ in range(3):
        enqueue()
    sent = listening.envelopes
    MailSender(smtp(listening), stopped=lambda: len(sent) == 1).deliver_batch()
    waiting = OutboxMessage.objects.waiting()
    assert list(waiting.values_list("tries", flat=True)) == [0, 0]
    assert deliver(listening) == 2
    assert len(set(listening.recipients)) == 3


def test_wait_grows_from_one_minute_to_one_hour():
    now = timezone.now()
    waits = [retry_moment(tries=tries, now=now) - now for tries in range(1, 10)]
    for tries, wait in enumerate(waits[:5]):
        shortest = timedelta(minutes=2**tries)
        assert shortest <= wait <= shortest * 1.25
    assert waits[-1] == LONGEST_WAIT


def test_log_has_no_address_subject_or_text(listening, caplog):
    caplog.set_level(logging.INFO, "outbox")
    sent, refused = enqueue(), enqueue()
    listening.faults[refused.recipient] = "550"
    deliver(listening)
    ours = [record for record in caplog.records if record.name.startswith("outbox")]
    lines = [json.loads(record.getMessage()) for record in ours]
    assert [(line["event"], line["message"]) for line in lines] == [
        ("mail.sent", sent.pk),
        ("mail.dead", refused.pk),
    ]
    text = "\n".join(record.getMessage() for record in ours)
    for message in (sent, refused):
        assert message.recipient not in text
        assert Invitation.objects.get(pk=message.about_id).token not in text


@pytest.mark.parametrize("count", [1, 3])
def test_claim_takes_the_same_queries_for_one_and_three(count, django_assert_num_queries):
    for _ in range(count):
        enqueue()
    with django_assert_num_queries(4):  # savepoint, read, lease, release
        assert len(claim_messages(now=timezone.now(), limit=20)) == count


@pytest.mark.parametrize("count", [1, 3])
def test_invitations_take_two_reads_each_and_all_one_write(
    count, listening, django_assert_num_queries
):
    for _ in range(count):
        enqueue()
    # Each: the invitation, and whether its recipient wants it. All: due, late (two), claim, store.
    with django_assert_num_queries(8 + 2 * count):
        assert deliver(listening) == count


class KilledBackend:
    """Accepts e-mails, and kills the worker at the one with this number."""

    def __init__(self, last: int) -> None:
        self.last, self.sent = last, list[str]()

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def send_messages(self, emails) -> None:
        if len(self.sent) == self.last:
            raise KeyboardInterrupt
        self.sent += [email.extra_headers["Message-ID"] for email in emails]


def test_killed_worker_has_stored_all_but_the_last_few_emails():
    for _ in range(25):
        enqueue()
    backend = KilledBackend(last=23)
    with pytest.raises(KeyboardInterrupt):
        MailSender(backend).deliver_batch()
    stored = OutboxMessage.objects.filter(sent_at__isnull=False)
    assert sorted(message.message_id for message in stored) == sorted(backend.sent[:20])

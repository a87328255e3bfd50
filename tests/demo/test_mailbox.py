"""The demo's mailbox page."""

from datetime import UTC, datetime

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.urls import reverse
from django.utils import timezone

from demo.views import newest_emails
from outbox.services.queue import OutgoingMessage, enqueue_messages
from tests.factories import InvitationFactory

pytestmark = pytest.mark.django_db
MAILBOX = "/demo/mailbox/"


@pytest.fixture(autouse=True)
def directory(settings, tmp_path):
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return tmp_path


def store(directory, *subjects, to="a@x.org", text="Hello", html="<p>Hello</p>"):
    backend = "django.core.mail.backends.filebased.EmailBackend"
    connection = get_connection(backend, file_path=str(directory))
    connection.open()
    for subject in subjects:
        email = EmailMultiAlternatives(
            subject, text, "from@x.org", [to], headers={"Date": "Mon, 02 Mar 2026 10:00:00 +0000"}
        )
        email.attach_alternative(html, "text/html")
        connection.send_messages([email])
    connection.close()


def test_e_mails_are_read_newest_first_as_they_were_sent(directory):
    store(directory, "Grüße", "Second", text="Zeile\nhttps://x.org/ü")
    newest, oldest = newest_emails()
    assert (newest.subject, oldest.subject) == ("Second", "Grüße")
    assert oldest.recipient == "a@x.org"
    assert oldest.sent_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert oldest.text.strip() == "Zeile\nhttps://x.org/ü"


def test_page_shows_e_mails_to_every_visitor_without_their_markup(client, directory):
    store(directory, "<b>Hi</b>", text="<script>alert(1)</script> http://127.0.0.1:8000/i/abc")
    answer = client.get(MAILBOX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert reverse("demo_mailbox") == MAILBOX
    assert "&lt;b&gt;Hi&lt;/b&gt;" in page
    assert "<script>alert" not in page
    assert '<a href="http://127.0.0.1:8000/i/abc"' in page


def test_page_shows_the_newest_hundred(client, directory):
    store(directory, *(f"Subject {number}." for number in range(101)))
    page = client.get(MAILBOX).content.decode()
    assert page.count("<article") == 100
    assert "Subject 0." not in page


def test_page_filters_by_address_in_any_case(client, directory):
    store(directory, "For a")
    store(directory, "For b", to="b@x.org")
    page = client.get(MAILBOX, {"to": "B@X.org"}).content.decode()
    assert ("For a" in page, "For b" in page) == (False, True)


@pytest.mark.parametrize("typed", ["no address", "a@x.org\x00", "a@x.org, b@x.org"])
def test_page_refuses_what_is_no_address_and_keeps_it(client, typed):
    answer = client.get(MAILBOX, {"to": typed})
    assert answer.status_code == 400
    assert answer.context["form"]["to"].value() == typed


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(1, "1 more is on its way."), (2, "2 more are on their way.")],
)
def test_page_mentions_what_is_on_its_way(client, count, sentence):
    invitations = InvitationFactory.create_batch(count, email=True)
    outgoing = [
        OutgoingMessage("partners.invitation", one.recipient, one, "en") for one in invitations
    ]
    enqueue_messages(messages=outgoing, now=timezone.now())
    assert sentence in client.get(MAILBOX).content.decode()
    to_other = client.get(MAILBOX, {"to": "other@x.org"}).content.decode()
    assert "on their way" not in to_other
    assert "on its way" not in to_other


def test_broken_and_half_written_files_are_passed_over(client, directory):
    store(directory, "Whole")
    (directory / "1.log").write_bytes(b"\xff\xfe no mail\n" + b"-" * 79 + b"\n")
    (directory / "2.log").write_bytes(b"To: a@x.org\nSubject: Half")
    (directory / "3.log").mkdir()
    assert client.get(MAILBOX).content.decode().count("<article") == 1


def test_html_is_a_document_of_its_own_that_can_do_nothing(client, directory):
    store(directory, "Hi", html="<!DOCTYPE html><p>Hello</p><script>alert(1)</script>")
    (email,) = newest_emails()
    answer = client.get(reverse("demo_mail_as_html", args=[email.key]))
    assert answer.content.decode().strip() == email.html.strip()
    policy = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert "style-src 'unsafe-inline'" in policy
    assert client.get(f"{MAILBOX}0123456789/").status_code == 404


def test_mailbox_is_only_read(client):
    assert client.post(MAILBOX).status_code == 405


@pytest.mark.parametrize("count", [1, 3])
def test_page_costs_the_same_for_one_and_three(client, directory, count, django_assert_num_queries):
    store(directory, *map(str, range(count)))
    with django_assert_num_queries(1):  # how many wait
        client.get(MAILBOX)

"""Unsubscribing from a partner's invitations: who can, what it stops, and what it does not."""

import re
from email import message_from_bytes
from email.policy import default

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage, Suppression
from outbox.services.delivery import MailSender
from outbox.services.queue import OutgoingMessage, enqueue_messages
from outbox.services.rendering import Stale
from partners.contact_lists.reading import read_list
from partners.enums import AssociationType, Channel, DeliveryState, InvitationProblem
from partners.models import Invitation
from partners.services.delivery_state import deliveries_of
from partners.services.invitation_requests import answer_invitation_request
from partners.services.invitations import create_invitation, resend_invitation
from partners.services.known_people import mark_known_people
from partners.services.mailings import draft_mailing, mail_batches, start_mailing
from partners.services.unsubscribe_links import (
    find_reader,
    is_unsubscribed,
    subscribe_again,
    unsubscribe,
    unsubscribe_url,
)
from tests.factories import (
    InvitationFactory,
    InvitationRequestFactory,
    PartnerFactory,
    PartnerMemberFactory,
)
from tests.reading_mails import write
from web.refused import Refused

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.org"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def partner():
    return PartnerFactory.create(name="Nimbus")


@pytest.fixture
def strict():
    """A browser whose POSTs need a CSRF token."""
    return Client(enforce_csrf_checks=True)


def path_of(partner, address=ADDRESS):
    url = unsubscribe_url(partner=partner, address=address)
    assert url.startswith("http://127.0.0.1:8000/no-more-invitations/")
    return url.removeprefix("http://127.0.0.1:8000")


def refuse(partner, address=ADDRESS):
    unsubscribe(reader=reader_of(partner, address), now=timezone.now())


def reader_of(partner, address=ADDRESS):
    return find_reader(path_of(partner, address).split("/")[-1])


def invite(partner, **values):
    return create_invitation(
        partner=partner,
        channel=Channel.EMAIL,
        association_type=AssociationType.RESELLER,
        label="Spring",
        recipient=ADDRESS,
        by=None,
        now=timezone.now(),
        **values,
    )


def test_invitation_has_the_headers_and_the_link():
    invitation = InvitationFactory(email=True, recipient=ADDRESS)
    url = unsubscribe_url(partner=invitation.partner, address=ADDRESS)

    email = write("partners.invitation", invitation)

    assert email.headers == {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    assert f"No more invitations from {invitation.partner}:\n{url}\n" in email.text
    assert f'<a href="{url}">' in email.html


def test_address_has_neither_the_token_nor_the_e_mail_address():
    invitation = InvitationFactory(email=True, recipient=ADDRESS)
    path = path_of(invitation.partner)

    assert invitation.token not in path
    assert (ADDRESS in path, "ada" in path) == (False, False)
    assert path == path_of(invitation.partner)  # the same for each invitation: no token is in it


def button_kinds(page):
    return re.findall(r'class="button button-(\w+)"\s+type="submit"', page.content.decode())


def test_page_shows_the_button_and_writes_nothing(client, partner):
    response = client.get(path_of(partner))

    assert (response.status_code, response.context["is_unsubscribed"]) == (200, False)
    assert "Do you want no more invitations from" in response.content.decode()
    assert Suppression.objects.count() == 0


def test_button_refuses_and_the_other_button_takes_it_back(client, partner):
    path = path_of(partner)

    for _twice in range(2):
        response = client.post(f"{path}/stop")
        assert (response.status_code, response["Location"]) == (303, path)
    assert client.get(path).context["is_unsubscribed"] is True
    assert Suppression.objects.count() == 1

    for _twice in range(2):
        response = client.post(f"{path}/undo")
        assert (response.status_code, response["Location"]) == (303, path)
    page = client.get(path)
    assert page.context["is_unsubscribed"] is False
    assert "You get invitations from Nimbus again." in page.content.decode()
    assert button_kinds(page) == ["secondary"]
    # Only that once.
    page = client.get(path)
    assert "You get invitations from Nimbus again." not in page.content.decode()
    assert button_kinds(page) == ["primary"]
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["suppression.added", "suppression.deleted"]


def test_mail_program_refuses_with_one_click(strict, partner):
    for _twice in range(2):
        response = strict.post(path_of(partner), ONE_CLICK)
        # RFC 8058, 3.1: no redirect.
        assert response.status_code == 200
    assert is_unsubscribed(reader_of(partner))


@pytest.mark.parametrize(
    "body", [{}, {"List-Unsubscribe": "one-click"}, {"a": "b"}, {**ONE_CLICK, "a": "b"}]
)
def test_another_post_without_a_token_does_nothing(strict, partner, body):
    assert strict.post(path_of(partner), body).status_code == 400
    assert strict.post(f"{path_of(partner)}/stop", body).status_code == 403
    assert strict.post(f"{path_of(partner)}/undo", body).status_code == 403
    assert not is_unsubscribed(reader_of(partner))


def test_forged_addresses_are_one_constant_404(client, partner):
    signed, other = path_of(partner), path_of(PartnerFactory.create())
    value, signature = signed.rsplit(".", 1)
    forged = [
        f"{value}.{other.rsplit('.', 1)[1]}",  # another's signature
        signed[:-1],
        f"{signed}x",
        value,
        f"{value}.",
        f"/no-more-invitations/.{signature}",
        "/no-more-invitations/1-x.y",
        "/no-more-invitations/%F0%9F%92%A9",
        "/no-more-invitations/%00",
    ]

    answers = [client.get(path) for path in forged]
    answers += [client.post(path, ONE_CLICK) for path in forged]
    answers += [client.post(f"{path}/stop") for path in forged]

    assert {answer.status_code for answer in answers} == {404}
    assert Suppression.objects.count() == 0


def test_other_partners_and_other_addresses_are_not_affected(partner):
    refuse(partner)

    assert not is_unsubscribed(reader_of(PartnerFactory.create()))
    assert not is_unsubscribed(reader_of(partner, "bob@example.org"))
    assert not is_unsubscribed(reader_of(partner, "ada@sub.example.org"))


def test_invitation_is_made_and_not_mailed(partner):
    refuse(partner)

    made = invite(partner)

    assert made.mailed_at is None
    assert OutboxMessage.objects.count() == 0
    assert deliveries_of([made])[made.pk].state == DeliveryState.UNSUBSCRIBED

    subscribe_again(reader=reader_of(partner), now=timezone.now())
    assert invite(partner).mailed_at is not None
    assert OutboxMessage.objects.count() == 1


def test_sent_again_is_refused(partner):
    made = invite(partner)
    refuse(partner)

    with pytest.raises(Refused) as refused:
        resend_invitation(invitation=made, by=None, now=timezone.now())

    assert refused.value.code == InvitationProblem.DOES_NOT_WANT_EMAIL
    assert OutboxMessage.objects.count() == 1
    assert deliveries_of([made])[made.pk].state == DeliveryState.UNSUBSCRIBED


def test_waiting_e_mail_is_dropped(partner):
    made = invite(partner)
    refuse(partner)

    with pytest.raises(Stale, match=r"^does not want e-mail$"):
        write("partners.invitation", made)


def test_asking_for_an_invitation_does_not_lift_it(partner):
    """Anyone can type any address there."""
    asked = InvitationRequestFactory(partner=partner, address=ADDRESS, invitation__partner=partner)
    refuse(partner)

    by = PartnerMemberFactory.create(partner=partner).user
    sent = answer_invitation_request(invitation_request=asked, by=by, now=timezone.now())

    assert sent.mailed_at is None
    assert is_unsubscribed(reader_of(partner))


def test_who_refuses_while_a_batch_is_sent_gets_nothing_more(partner, monkeypatch):
    """All are claimed; the second refuses after the first was sent."""
    invitations = [
        InvitationFactory(email=True, partner=partner, recipient=f"p{number}@example.org")
        for number in range(3)
    ]
    outgoing = [
        OutgoingMessage("partners.invitation", row.recipient, row, "en") for row in invitations
    ]
    enqueue_messages(messages=outgoing, now=timezone.now())
    connection = mail.get_connection()
    send = connection.send_messages

    def send_and_refuse(emails):
        refuse(partner, "p1@example.org")
        return send(emails)

    monkeypatch.setattr(connection, "send_messages", send_and_refuse)
    MailSender(connection).deliver_batch()

    assert [email.to for email in mail.outbox] == [["p0@example.org"], ["p2@example.org"]]
    dropped = OutboxMessage.objects.get(dropped_at__isnull=False)
    assert (dropped.recipient, dropped.drop_reason) == ("p1@example.org", "does not want e-mail")


def test_headers_reach_the_mail_program_whole(partner):
    invite(partner)
    call_command("worker", "--once")

    [email] = mail.outbox
    received = message_from_bytes(email.message().as_bytes(), policy=default)
    url = unsubscribe_url(partner=partner, address=ADDRESS)
    # It begins with a blank where it was folded.
    assert received["List-Unsubscribe"].strip() == f"<{url}>"
    assert received["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_people_of_a_list_who_refuse_get_no_invitation(partner):
    """Whether they refuse before the list is read, or after it was started."""
    member = PartnerMemberFactory.create(partner=partner)
    people = read_list("a@example.org\nb@example.org\nc@example.org").people
    refuse(partner, "a@example.org")
    mark_known_people(people, partner=partner, now=timezone.now())
    now, terms = timezone.now(), {"association_type": "reseller", "label": "Fair", "is_bound": True}
    batch = draft_mailing(partner=partner, people=people, by=member.user, now=now, **terms)
    assert batch.size == 2
    start_mailing(batch=batch, subject="", note="", by=member.user, now=now)
    refuse(partner, "b@example.org")

    mail_batches(now=now)

    problems = dict(batch.rows.values_list("email", "problem"))
    code = InvitationProblem.DOES_NOT_WANT_EMAIL.value
    assert problems == {"a@example.org": code, "b@example.org": code, "c@example.org": ""}
    assert list(OutboxMessage.objects.values_list("recipient", flat=True)) == ["c@example.org"]
    batch.refresh_from_db()
    assert (batch.done_count, batch.refused_count, batch.invitations.count()) == (2, 1, 1)


@pytest.mark.parametrize("action", ["preview", "send"])
def test_who_does_not_want_e_mail_is_named_before_anything_is_sent(client, partner, action):
    refuse(partner)
    client.force_login(PartnerMemberFactory.create(partner=partner, administrator=True).user)
    typed = {"recipient": ADDRESS, "association_type": "referral", "recipient_only": "on"}

    page = client.post("/partner/invitations/email/new", {**typed, "action": action})

    assert page.status_code == 400
    assert page.context["form"].errors == {
        "recipient": [
            "This person does not want invitations from you by e-mail. Make a link instead, and"
            " hand it on in another way."
        ]
    }
    assert "email" not in page.context
    assert Invitation.objects.count() == 0


def test_partner_sees_who_does_not_want_e_mail(client, partner):
    member = PartnerMemberFactory.create(partner=partner, administrator=True)
    client.force_login(member.user)
    made = invite(partner)
    refuse(partner)
    address = f"/partner/invitations/{made.pk}/"

    page = client.get(address).content.decode()
    assert "Does not want e-mail" in page
    assert "You can copy the link and hand it over in another way." in page
    assert "Send again" not in page
    assert "Write an e-mail" not in page
    listed = client.get("/partner/invitations/").content.decode()
    assert '<span class="muted">Does not want e‑mail</span>' in listed
    [row] = client.get("/partner/invitations/").context["rows"]
    assert row["is_unsubscribed"] is True
    refused = client.post(f"{address}resend")
    assert refused.status_code == 409
    sentence = "This person does not want invitations from you by e-mail."
    assert sentence in refused.content.decode()

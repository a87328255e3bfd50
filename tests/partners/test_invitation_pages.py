"""One invitation in the console: making, showing, changing and revoking it, and whose it is."""

import json
import logging
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from partners.models import Invitation, Partner
from partners.services.invitations import edit_invitation, revoke_invitation
from partners.views import invitation_changes
from tests.factories import (
    FROZEN,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    mark_frozen,
)
from tests.shown_forms import open_and_send
from tests.shown_texts import unbroken

pytestmark = pytest.mark.django_db

NEW = "/partner/invitations/new"
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture
def boss():
    return PartnerMemberFactory(administrator=True, partner__time_zone="Europe/Berlin")


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def path(invitation, action=""):
    return f"/partner/invitations/{invitation.pk}/{action}"


def actions(invitation):
    events = AuditEvent.objects.filter(
        object_label="partners.invitation", object_id=str(invitation.pk)
    )
    return list(events.order_by("pk").values_list("action", "actor_id"))


def asked(**typed):
    return {"label": "Fair", "association_type": "reseller", **typed}


def test_new_link_ends_on_its_page(boss):
    client = client_of(boss.user)
    typed = asked(note="Hello", language="en", country="FR", expiry="30", max_uses="5")
    with time_machine.travel(NOW, tick=False):
        answer = client.post(NEW, typed)
        [made] = Invitation.objects.all()
        assert (answer.status_code, answer["Location"]) == (303, path(made))
        page = client.get(path(made))
    assert made.link in page.content.decode()
    assert (made.label, made.association_type, made.note) == ("Fair", "reseller", "Hello")
    assert (made.language, made.country.code, made.max_uses) == ("en", "FR", 5)
    assert (made.expires_at, made.created_by) == (NOW + timedelta(days=30), boss.user)
    assert actions(made) == [("invitation.created", boss.user.pk)]


@pytest.mark.parametrize(
    ("typed", "expires_at"),
    [
        ({}, None),
        ({"expiry": "never"}, None),
        ({"expiry": "7"}, NOW + timedelta(days=7)),
        ({"expiry": "90"}, NOW + timedelta(days=90)),
        ({"expiry": "at", "expires_at": "2026-07-01T18:00"}, datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ({"expires_at": "2026-01-20 18:00"}, datetime(2026, 1, 20, 17, tzinfo=UTC)),
        (
            {"expires_at": "2026-01-20", "expires_at_time": "18:00"},
            datetime(2026, 1, 20, 17, tzinfo=UTC),
        ),
        ({"expires_at": "2026-01-20"}, datetime(2026, 1, 20, 22, 59, 59, tzinfo=UTC)),
        ({"expires_at": "2026-01-10"}, datetime(2026, 1, 10, 22, 59, 59, tzinfo=UTC)),
    ],
)
def test_expiry_is_in_the_zone_of_the_partner(boss, typed, expires_at):
    client = client_of(boss.user)
    with time_machine.travel(NOW, tick=False):
        assert client.post(NEW, asked(**typed)).status_code == 303
    assert Invitation.objects.get().expires_at == expires_at


BAD = [
    ({"max_uses": "0"}, "max_uses"),
    ({"max_uses": "-1"}, "max_uses"),
    ({"max_uses": "1.5"}, "max_uses"),
    ({"max_uses": str(2**31)}, "max_uses"),
    ({"max_uses": str(2**63)}, "max_uses"),
    ({"max_uses": "9" * 100_000}, "max_uses"),
    ({"expires_at": "2026-01-10T12:59"}, "expires_at"),
    ({"expires_at": "2026-01-10T13:00"}, "expires_at"),
    ({"expires_at": "9999-12-31T23:59"}, "expires_at"),
    ({"expires_at": "9999-12-31T23:59-12:00"}, "expires_at"),
    ({"expires_at": "0001-01-01T00:00+14:00"}, "expires_at"),
    ({"expires_at": "2036-01-10T13:00"}, "expires_at"),
    ({"expires_at": "2026-03-29T02:30"}, "expires_at"),
    ({"expires_at": "2026-10-25T02:30"}, "expires_at"),
    ({"expires_at": "2026-07-01T18:00Z"}, "expires_at"),
    ({"expires_at": "2026-07-01T18:00+05:00"}, "expires_at"),
    ({"expires_at": "2026-07-01 18:00:00 -0300"}, "expires_at"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at_time": "18:00"}, "expires_at"),
    ({"expires_at": "2026-01-09"}, "expires_at"),
    ({"expires_at": "2026-02-30"}, "expires_at"),
    ({"expires_at": "9999-12-31"}, "expires_at"),
    ({"expires_at": "\0"}, "expires_at"),
    ({"expiry": "at"}, "expires_at"),
    ({"expiry": "8"}, "expiry"),
    ({"expiry": "7", "expires_at": "2026-02-01T18:00"}, "expiry"),
    ({"note": "x" * 501}, "note"),
    ({"note": "a\0b"}, "note"),
    ({"label": ""}, "label"),
    ({"label": "x" * 100_000}, "label"),
    ({"label": "a\0b"}, "label"),
    ({"label": "\u200b\u202e \u3164"}, "label"),
    ({"association_type": "both"}, "association_type"),
    ({"association_type": ""}, "association_type"),
    ({"language": "xx"}, "language"),
    ({"country": "CN"}, "country"),
]


@pytest.mark.parametrize(("typed", "field"), BAD)
def test_bad_input_makes_nothing_and_is_kept(boss, typed, field):
    client = client_of(boss.user)
    with time_machine.travel(NOW, tick=False):
        page = client.post(NEW, asked(**{"note": "Typed before", **typed}))
    assert page.status_code == 400
    assert list(page.context["form"].errors) == [field]
    assert page.context["form"]["note"].value() == typed.get("note", "Typed before")
    assert not Invitation.objects.exists()
    assert not AuditEvent.objects.filter(action="invitation.created").exists()


@pytest.mark.parametrize("typed", ["2026-03-29T02:30", "2026-10-25T02:30"])
def test_an_hour_that_the_clocks_leave_out_or_repeat_is_explained(boss, typed):
    client = client_of(boss.user)
    with time_machine.travel(NOW, tick=False):
        page = client.post(NEW, asked(expires_at=typed))
    [error] = page.context["form"].errors["expires_at"]
    assert error.startswith("At this time the clocks change in your time zone")
    assert page.context["form"]["expires_at"].value() == typed


def test_form_sent_twice_makes_one_link(boss):
    client = client_of(boss.user)
    page = client.get(NEW).content.decode()
    [key] = re.findall(r'name="form_key" value="([^"]{22})"', page)
    first = client.post(NEW, asked(form_key=key))
    second = client.post(NEW, asked(form_key=key))
    [made] = Invitation.objects.all()
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"] == path(made)
    assert actions(made) == [("invitation.created", boss.user.pk)]
    assert client.get(path(made)).content.decode().count("The link is ready. Hand it on.") == 1


def test_link_above_the_quota_is_429_and_its_key_can_be_sent_again(boss, settings):
    settings.PARTNER_DAILY_INVITATIONS = 0
    client = client_of(boss.user)
    page = client.post(NEW, asked(form_key="k" * 22))
    assert (page.status_code, "Retry-After" in page) == (429, True)
    assert "Possible again from" in page.content.decode()
    settings.PARTNER_DAILY_INVITATIONS = 1
    assert client.post(NEW, asked(form_key="k" * 22)).status_code == 303


def test_edit_of_an_invitation_that_is_revoked_meanwhile_is_409(boss, monkeypatch):
    invitation = InvitationFactory(partner=boss.partner, label="Old")

    def edit_after_revoking(**terms):
        revoke_invitation(invitation=invitation, by=boss.user, now=terms["now"])
        return edit_invitation(**terms)

    monkeypatch.setattr(invitation_changes, "edit_invitation", edit_after_revoking)
    page = open_and_send(client_of(boss.user), path(invitation, "edit"), {"label": "New"})
    assert page.status_code == 409
    assert "This invitation has been revoked." in page.content.decode()


def test_form_changed_after_going_back_is_asked_about_and_makes_another_link_once(boss):
    client = client_of(boss.user)
    client.post(NEW, asked(form_key="k" * 22))
    page = client.post(NEW, asked(form_key="k" * 22, label="Spring"))
    [old] = Invitation.objects.all()
    assert page.status_code == 409
    assert path(old) in page.content.decode()
    key = dict(page.context["hidden"])["form_key"]
    others = [client.post(NEW, asked(form_key=key, label="Spring"))["Location"] for _ in range(2)]
    [new] = Invitation.objects.exclude(pk=old.pk)
    assert others == [path(new)] * 2
    assert (old.label, new.label) == ("Fair", "Spring")
    assert old.token != new.token


def test_expiry_counted_from_each_click_is_the_same_for_a_double_click(boss):
    client = client_of(boss.user)
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(2):
            client.post(NEW, asked(form_key="k" * 22, expiry="30"))
            clock.shift(timedelta(seconds=2))
    assert Invitation.objects.get().expires_at == NOW + timedelta(days=30)


def test_token_cannot_be_chosen(boss):
    client_of(boss.user).post(NEW, asked(key="0" * 26, token="0" * 26))
    assert Invitation.objects.get().token != "0" * 26


def test_only_type_is_named_and_taken(boss):
    boss.partner.allows_referral = False
    boss.partner.save()
    client = client_of(boss.user)
    assert "Association type: reseller." in client.get(NEW).content.decode()
    assert client.post(NEW, {"label": "Fair"}).status_code == 303
    assert Invitation.objects.get().association_type == "reseller"
    assert client.post(NEW, asked(association_type="referral")).status_code == 400


def test_frozen_partner_makes_no_link(boss):
    mark_frozen(boss.partner)
    client = client_of(boss.user)
    shown, refused = client.get(NEW), client.post(NEW, asked())
    assert (shown.status_code, refused.status_code) == (200, 409)
    assert "The partner is frozen and cannot invite." in shown.content.decode()
    assert "The partner is frozen and cannot invite." in refused.content.decode()
    assert not Invitation.objects.exists()


def test_duplicate_begins_with_the_same_terms(boss):
    like = InvitationFactory(
        partner=boss.partner, referral=True, note="Hello", max_uses=3, language="fr", country="FR"
    )
    form = client_of(boss.user).get(f"{NEW}?copy={like.pk}").context["form"]
    shown = {name: form[name].value() for name in ("label", "note", "max_uses", "language")}
    assert shown == {"label": like.label, "note": "Hello", "max_uses": 3, "language": "fr"}
    assert (form["association_type"].value(), form["expiry"].value()) == ("referral", "never")


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 30, "²"])
def test_duplicate_of_nothing_does_not_exist(boss, text):
    assert client_of(boss.user).get(NEW, {"copy": text}).status_code == 404


def test_duplicate_of_another_partners_does_not_exist(boss):
    assert client_of(boss.user).get(f"{NEW}?copy={InvitationFactory().pk}").status_code == 404


@pytest.mark.parametrize("action", ["", "edit", "revoke", "print", "qr.svg", "qr.png"])
def test_pages_are_for_administrators_and_the_maker(boss, action):
    manager, other = PartnerMemberFactory.create_batch(2, partner=boss.partner)
    invitation = InvitationFactory(partner=boss.partner, created_by=manager.user)
    foreign = PartnerMemberFactory(administrator=True)
    people = (boss.user, manager.user, other.user, foreign.user, UserFactory())
    statuses = [client_of(user).get(path(invitation, action)).status_code for user in people]
    assert statuses == [200, 200, 404, 404, 404]
    assert Client(SERVER_NAME="127.0.0.1").get(path(invitation, action)).status_code == 302


def test_page_writes_to_the_security_log_and_to_no_table(boss, caplog):
    invitation = InvitationFactory(partner=boss.partner)
    client = client_of(boss.user)
    with caplog.at_level(logging.INFO, logger="security"):
        client.get(path(invitation))
        client.get(path(invitation))
    lines = [json.loads(record.message) for record in caplog.records if record.name == "security"]
    assert [(line["event"], line["invitation"], line["member"]) for line in lines] == [
        ("invitation.shown", invitation.pk, boss.pk)
    ] * 2
    assert invitation.token not in caplog.text
    assert not actions(invitation)


def test_recipient_is_masked_without_the_right(boss):
    manager = PartnerMemberFactory(partner=boss.partner)
    invitation = InvitationFactory(
        partner=boss.partner, email=True, recipient="ann@example.org", created_by=manager.user
    )
    full = unbroken(client_of(boss.user).get(path(invitation)))
    masked = unbroken(client_of(manager.user).get(path(invitation)))
    assert "ann@example.org" in full
    assert "ann@example.org" not in masked
    assert invitation.masked_recipient in masked


@pytest.mark.parametrize(("may_see", "to"), [(True, "ann@example.org"), (False, "")])
def test_e_mail_to_write_has_the_recipient_that_the_page_shows(boss, may_see, to):
    manager = PartnerMemberFactory(partner=boss.partner, may_see_addresses=may_see)
    offer = InvitationFactory(
        partner=boss.partner, created_by=manager.user, email=True, recipient="ann@example.org"
    )
    page = client_of(manager.user).get(path(offer)).content.decode()
    assert f'href="mailto:{to}?subject=' in page


def test_page_opens_the_invitation_as_the_customer_sees_it(boss):
    offer = InvitationFactory(partner=boss.partner, revoked=True)
    page = client_of(boss.user).get(path(offer)).content.decode()
    assert re.search(rf'href="{offer.link}"\s+target="_blank"\s+rel="noopener"', page)


def test_page_takes_the_same_statements_always(boss, django_assert_num_queries):
    client = client_of(boss.user)
    for statements, invitation in (
        (7, InvitationFactory(partner=boss.partner)),
        # And whether the recipient wants e-mail, may get one now, and is a customer.
        (10, InvitationFactory(partner=boss.partner, email=True, created_by=boss.user)),
    ):
        with django_assert_num_queries(statements):
            client.get(path(invitation))


def test_resending_renews_and_refuses_in_words(boss):
    client = client_of(boss.user)
    mailed = InvitationFactory(partner=boss.partner, email=True, expired=True)
    link = InvitationFactory(partner=boss.partner)
    assert client.post(path(mailed, "resend"))["Location"] == path(mailed)
    mailed.refresh_from_db()
    assert mailed.expires_at > timezone.now() + timedelta(days=6)
    assert actions(mailed) == [("invitation.resent", boss.user.pk)]
    page = client.post(path(link, "resend"))
    assert page.status_code == 409
    assert f'href="{path(link)}"' in page.content.decode()
    assert "Only an invitation by e-mail can be sent again." in page.content.decode()
    assert client.get(path(mailed, "resend"))["Location"] == path(mailed)


def test_resending_above_a_quota_is_429_and_says_so(boss, settings):
    settings.PARTNER_DAILY_MAILS = 0
    mailed = InvitationFactory(partner=boss.partner, email=True)
    page = client_of(boss.user).post(path(mailed, "resend"))
    assert page.status_code == 429
    assert 86_000 < int(page["Retry-After"]) <= 86_400
    assert "Possible again from" in page.content.decode()
    assert actions(mailed) == []


def test_editing_keeps_the_token_and_what_is_not_touched(boss):
    ends = timezone.now() + timedelta(days=3, seconds=7)
    invitation = InvitationFactory(partner=boss.partner, max_uses=4, expires_at=ends)
    typed = {"label": "New", "note": "Hi", "expiry": "keep", "max_uses": ""}
    answer = open_and_send(client_of(boss.user), path(invitation, "edit"), typed)
    assert (answer.status_code, answer["Location"]) == (303, path(invitation))
    token = invitation.token
    invitation.refresh_from_db()
    assert (invitation.label, invitation.note, invitation.max_uses) == ("New", "Hi", None)
    assert (invitation.token, invitation.expires_at) == (token, ends)
    assert actions(invitation) == [("invitation.edited", boss.user.pk)]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"label": ""}, "label"),
        ({"max_uses": "1"}, "max_uses"),
        ({"max_uses": "0"}, "max_uses"),
        ({"expiry": "at", "expires_at": "2020-01-01T00:00"}, "expires_at"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_bad_edit_changes_nothing(boss, typed, field):
    invitation = InvitationFactory(partner=boss.partner, label="Old", used_count=2)
    page = open_and_send(client_of(boss.user), path(invitation, "edit"), {"label": "New", **typed})
    assert (page.status_code, list(page.context["form"].errors)) == (400, [field])
    invitation.refresh_from_db()
    assert (invitation.label, actions(invitation)) == ("Old", [])


@pytest.mark.parametrize(
    ("trait", "sentence"),
    [
        ("revoked", "This invitation has been revoked."),
        ("expired", "This invitation has expired."),
        ("used_up", "This invitation has been used up."),
    ],
)
def test_dead_invitation_is_not_edited(boss, trait, sentence):
    invitation = InvitationFactory(partner=boss.partner, label="Old", **{trait: True})
    page = open_and_send(client_of(boss.user), path(invitation, "edit"), {"label": "New"})
    shown = client_of(boss.user).get(path(invitation, "edit"))
    assert (shown.status_code, page.status_code) == (200, 409)
    assert sentence in page.content.decode()
    assert sentence in shown.content.decode()
    invitation.refresh_from_db()
    assert (invitation.label, actions(invitation)) == ("Old", [])


@pytest.mark.parametrize(
    ("trait", "way"),
    [("expired", ""), ("revoked", "email/new"), ("used_up", "email/new")],
)
def test_dead_email_invitation_offers_sending_again_and_no_copy_as_a_link(boss, trait, way):
    mailed = InvitationFactory(partner=boss.partner, email=True, **{trait: True})
    client = client_of(boss.user)
    page = client.get(path(mailed, "edit")).content.decode()
    assert "?copy=" not in page
    href = f"/partner/invitations/{way}" if way else path(mailed)
    assert f'class="button button-primary" href="{href}"' in " ".join(page.split())
    assert client.get(f"{NEW}?copy={mailed.pk}").status_code == 404


@pytest.mark.parametrize("trait", [{}, {"expired": True}, {"used_up": True}])
def test_revoking_twice_writes_one_event(boss, trait):
    invitation = InvitationFactory(partner=boss.partner, **trait)
    client = client_of(boss.user)
    assert "This is final." in client.get(path(invitation, "revoke")).content.decode()
    answers = [client.post(path(invitation, "revoke")) for _ in range(2)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (303, path(invitation))
    ] * 2
    assert actions(invitation) == [("invitation.revoked", boss.user.pk)]
    assert "Nothing is left to do." in client.get(path(invitation, "revoke")).content.decode()


@pytest.mark.parametrize("becomes", ["expired", "frozen"])
def test_repeated_submit_gets_its_first_answer_when_it_is_no_longer_valid(boss, becomes):
    client = client_of(boss.user)
    sent = asked(form_key="k" * 22, expiry="at", expires_at="2026-01-11T12:00")
    with time_machine.travel(NOW, tick=False) as clock:
        first = client.post(NEW, sent)
        if becomes == "expired":
            clock.shift(timedelta(days=2))
        else:
            Partner.objects.update(**FROZEN)
        again = client.post(NEW, sent)
        with_a_new_key = client.post(NEW, {**sent, "form_key": "l" * 22})
    assert (first.status_code, first["Location"]) == (303, path(Invitation.objects.get()))
    assert (again.status_code, again["Location"]) == (303, first["Location"])
    assert with_a_new_key.status_code == (400 if becomes == "expired" else 409)


def test_name_and_reference_are_kept_with_a_link_for_one(boss):
    typed = asked(max_uses="1", customer_name=" Nord  Wind", reference="K-1")
    answer = client_of(boss.user).post(NEW, typed)
    made = Invitation.objects.get()
    assert answer.status_code == 303
    assert (made.customer_name, made.reference) == ("Nord Wind", "K-1")


@pytest.mark.parametrize("uses", ["", "2"])
def test_a_name_is_refused_for_several_customers(boss, uses):
    page = client_of(boss.user).post(NEW, asked(max_uses=uses, customer_name="Nord Wind"))
    assert page.status_code == 400
    assert page.context["form"].errors.keys() == {"customer_name"}
    assert page.context["form"].is_unfolded()
    assert not Invitation.objects.exists()

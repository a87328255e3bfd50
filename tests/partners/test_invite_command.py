"""`manage.py invite`: what it prints, what it makes, and how it refuses."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import zxingcpp
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import Channel
from partners.models import Invitation
from tests.factories import PartnerFactory, mark_frozen
from tests.scanning import scanned_text

pytestmark = pytest.mark.django_db

LINK = ("--type", "reseller", "--channel", "link")
EMAIL = ("--type", "reseller", "--channel", "email", "--email", "Ann@Example.org")


def invite(*arguments):
    """Run the command for the partner `acme` and return what it printed."""
    printed = io.StringIO()
    call_command("invite", "--partner", "acme", *arguments, stdout=printed)
    return printed.getvalue()


@pytest.fixture(autouse=True)
def acme():
    return PartnerFactory(slug="acme", reseller_only=True)


def test_link_is_printed_as_json(acme, settings):
    settings.PUBLIC_BASE_URL = "https://join.example.com"
    answer = json.loads(invite(*LINK, "--max-uses", "3", "--label", "Fair", "--json"))
    made = Invitation.objects.get()
    assert answer == {"token": made.token, "url": f"https://join.example.com/i/{made.token}"}
    assert (made.partner, made.label, made.max_uses) == (acme, "Fair", 3)
    assert (made.expires_at, made.created_by) == (None, None)
    assert AuditEvent.objects.get().action == "invitation.created"


def test_link_is_printed_with_its_groups():
    printed = invite(*LINK)
    made = Invitation.objects.get()
    assert printed == f"{made.link}  {made.grouped_token}\n"


def test_email_is_enqueued_in_the_outbox():
    invite(*EMAIL, "--max-uses", "1", "--json")
    made = Invitation.objects.get()
    assert (made.channel, made.recipient, made.is_bound) == (Channel.EMAIL, "ann@example.org", True)
    assert OutboxMessage.objects.get().recipient == "ann@example.org"


def test_person_who_was_mailed_often_is_invited_but_not_mailed(capsys):
    for _ in range(4):
        invite(*EMAIL, "--json")
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (4, 3)
    assert capsys.readouterr().err == (
        "Made, but not mailed: this person was sent three invitations within a day.\n"
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2031-03-04T05:06:07+02:00", datetime(2031, 3, 4, 3, 6, 7, tzinfo=UTC)),
        ("2031-03-04T05:06:07Z", datetime(2031, 3, 4, 5, 6, 7, tzinfo=UTC)),
        ("2031-03-04T05:06", datetime(2031, 3, 4, 5, 6, tzinfo=UTC)),
        ("2031-03-04", datetime(2031, 3, 4, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_expiry_without_a_zone_is_utc(text, moment):
    invite(*LINK, "--expires", text)
    assert Invitation.objects.get().expires_at == moment


def test_many_links_are_a_list():
    answer = json.loads(invite(*LINK, "--count", "3", "--label", "Desk {n}", "--json"))
    made = Invitation.objects.order_by("pk")
    assert answer == [{"token": one.token, "url": one.link} for one in made]
    assert [one.label for one in made] == ["Desk 1", "Desk 2", "Desk 3"]


def test_count_of_one_is_a_list_too():
    assert len(json.loads(invite(*LINK, "--count", "1", "--json"))) == 1


def test_qr_is_written(tmp_path):
    invite(*LINK, "--qr", str(tmp_path / "code.png"))
    with Image.open(tmp_path / "code.png") as picture:
        [code] = zxingcpp.read_barcodes(picture)
    assert code.text == scanned_text(Invitation.objects.get())
    invite(*LINK, "--qr", str(tmp_path / "code.SVG"))
    assert (tmp_path / "code.SVG").read_bytes().startswith(b"<svg ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--type", "partner", "--channel", "link"), "--type: Choose reseller or referral."),
        (
            ("--type", "referral", "--channel", "link"),
            "--type: The partner may not invite in this association type.",
        ),
        (("--type", "reseller", "--channel", "post"), "--channel: choose link or email."),
        (
            ("--type", "reseller", "--channel", "email"),
            "--email: Enter the e-mail address of the person to invite.",
        ),
        (
            (*EMAIL, "--email", "ann@localhost"),
            "--email: Enter an e-mail address like name@example.com.",
        ),
        (
            (*LINK, "--email", "ann@example.org"),
            "--email: only an invitation with --channel email has a recipient.",
        ),
        ((*EMAIL, "--max-uses", "2"), "--max-uses: an invitation by e-mail is for one use."),
        ((*EMAIL, "--count", "2"), "--count: only links can be made many at once."),
        ((*LINK, "--max-uses", "1.5"), "--max-uses: Enter a whole number of uses."),
        ((*LINK, "--max-uses", "many"), "--max-uses: Enter a whole number of uses."),
        (
            (*LINK, "--max-uses", "0"),
            "--max-uses: Allow at least one use.",
        ),
        (
            (*LINK, "--max-uses=-1"),
            "--max-uses: Allow at least one use.",
        ),
        (
            (*LINK, "--max-uses", str(2**31)),
            "--max-uses: It cannot allow so many uses.",
        ),
        (
            (*LINK, "--max-uses", str(2**63)),
            "--max-uses: It cannot allow so many uses.",
        ),
        (
            (*LINK, "--expires", "tomorrow"),
            "--expires: Enter a date and a time like 2026-12-31 18:00.",
        ),
        (
            (*LINK, "--expires", "2031-02-30"),
            "--expires: Enter a date and a time like 2026-12-31 18:00.",
        ),
        ((*LINK, "--expires", "2001-01-01"), "--expires: The expiry must be in the future."),
        (
            (*LINK, "--expires", "0001-01-01T00:00:00+14:00"),
            "--expires: The expiry must be in the future.",
        ),
        (
            (*LINK, "--expires", "9999-12-31T23:59:59-14:00"),
            "--expires: The expiry must be within ten years.",
        ),
        (
            (*LINK, "--label", "x" * 300),
            "--label: Ensure this value has at most 120 characters (it has 300).",
        ),
        (
            (*LINK, "--label", "x" * 119 + "{n}", "--count", "10"),
            "--label: Ensure this value has at most 120 characters (it has 121).",
        ),
        ((*LINK, "--count", "0"), "--count: enter a whole number from 1 to 100000."),
        ((*LINK, "--count", "1e3"), "--count: enter a whole number from 1 to 100000."),
        ((*LINK, "--count", "9" * 5000), "--count: enter a whole number from 1 to 100000."),
        ((*LINK, "--qr", "code.gif"), "--qr: the file's name must end in .svg or .png."),
        (
            (*LINK, "--qr", "/nowhere/code.png"),
            "--qr: the file cannot be written (No such file or directory).",
        ),
        (
            (*LINK, "--count", "2", "--qr", "code.png"),
            "--qr: with --count there would be many codes for one file.",
        ),
    ],
)
def test_bad_argument_is_one_sentence_and_makes_nothing(arguments, sentence):
    with pytest.raises(CommandError) as refused:
        invite(*arguments)
    assert str(refused.value) == sentence
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (0, 0)
    assert not AuditEvent.objects.exists()


def test_expiry_is_refused_at_this_moment(time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    with pytest.raises(CommandError):
        invite(*LINK, "--expires", now.isoformat())
    invite(*LINK, "--expires", (now + timedelta(seconds=1)).isoformat())
    assert Invitation.objects.count() == 1


def test_unknown_and_frozen_partners_cannot_invite(acme):
    with pytest.raises(CommandError) as refused:
        call_command("invite", "--partner", "unknown", *LINK)
    assert str(refused.value) == "--partner: there is no partner with this short name."
    mark_frozen(acme)
    with pytest.raises(CommandError) as refused:
        invite(*LINK)
    assert str(refused.value) == "The partner is frozen and cannot invite."
    assert not Invitation.objects.exists()

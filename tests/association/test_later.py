"""Enable later: its page, and the calendar file."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import CustomerAccount
from tests.factories import CustomerAccountFactory, InvitationFactory, UserFactory
from tests.journeys.walk import Walk, invite, ready_attempt, walk_of
from tests.tables import tables
from web.templatetags.moments import moment

pytestmark = pytest.mark.django_db


@pytest.fixture
def enabling() -> Walk:
    return walk_of(ready_attempt(account=CustomerAccountFactory.create()))


def test_the_page_says_until_when_and_leads_back(enabling):
    enabling.post("enable/later")
    before = tables()
    answer = enabling.get("enable/later")
    text = answer.content.decode()
    last = enabling.attempt.account.registered_at + timedelta(days=7)
    assert (answer.status_code, tables() == before) == (200, True)
    assert f'datetime="{last:%Y-%m-%dT%H:%M}' in text
    assert f"{last:%H:%M} UTC" in text
    assert f'href="{enabling.url("enable")}"' in text
    assert f'href="{enabling.url("enable/later.ics")}"' in text
    assert enabling.invitation.token not in text


def test_the_e_mail_is_named_only_where_it_is_sent():
    account = CustomerAccountFactory.create()
    first, second = (
        walk_of(ready_attempt(account=account, invitation=invite(account))) for _ in range(2)
    )
    first.post("enable/later")
    second.post("enable/later")
    texts = [walk.get("enable/later").content.decode() for walk in (first, second)]
    assert ["We e-mail a link back" in text for text in texts] == [True, False]


@pytest.mark.parametrize("hours", [6 * 24 - 1, 6 * 24 + 1])
def test_the_reminder_is_named_only_where_it_is_sent(enabling, time_machine, hours):
    registered_at = enabling.attempt.account.registered_at
    time_machine.move_to(registered_at + timedelta(hours=hours))
    enabling.client.force_login(enabling.attempt.account.owner)
    enabling.post("enable/later")
    text = enabling.get("enable/later").content.decode()
    day = registered_at + timedelta(days=6)
    named = f'We remind you by e-mail on <time datetime="{day:%Y-%m-%dT%H:%M}'
    assert (named in text, "We remind you" in text) == (hours < 6 * 24, hours < 6 * 24)


@pytest.mark.parametrize(("page", "status"), [("enable/later", 303), ("enable/later.ics", 404)])
def test_nothing_is_shown_before_it_was_put_off(enabling, page, status):
    answer = enabling.get(page)
    assert answer.status_code == status
    if status == 303:
        assert answer["Location"] == enabling.url("enable")


def test_the_calendar_file_has_the_last_moment_and_an_alarm(enabling):
    enabling.post("enable/later")
    answer = enabling.get("enable/later.ics")
    attempt = enabling.attempt
    owner, partner = attempt.account.owner, attempt.invitation.partner
    last = attempt.account.registered_at + timedelta(days=7)
    named = ("Content-Type", "Content-Disposition", "Cache-Control", "X-Content-Type-Options")
    assert [answer[name] for name in named] == [
        "text/calendar; charset=utf-8; method=PUBLISH",
        'attachment; filename="join.ics"',
        "no-store",
        "nosniff",
    ]
    assert unfolded(answer.content) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Example Cloud//Partner association//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{attempt.pk}@127.0.0.1",
        f"DTSTAMP:{stamp(attempt.deferred_at)}",
        f"DTSTART:{stamp(last - timedelta(minutes=30))}",
        f"DTEND:{stamp(last)}",
        f"SUMMARY:Last moment to join {partner.name}",
        "DESCRIPTION:Log in to Example Cloud with the account"
        f" {owner.account_name}\\, and associate.",
        f"URL:http://127.0.0.1:8000/join/{attempt.pk}/",
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:Last moment to join {partner.name}",
        "TRIGGER;RELATED=END:-PT1440M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    assert enabling.get("enable/later.ics").content == answer.content
    assert enabling.post("enable/later.ics").status_code == 405


def test_the_calendar_file_is_for_its_account_only(enabling):
    enabling.post("enable/later")
    other = Client()
    assert other.get(enabling.url("enable/later.ics")).status_code == 302
    other.force_login(UserFactory.create())
    assert other.get(enabling.url("enable/later.ics")).status_code == 404


def test_the_end_of_asking_for_an_invitation_is_no_step():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    pages = [walk.get(page).content.decode() for page in ("ask", "ask?asked")]
    assert [re.findall(r"Step \d of \d", page) for page in pages] == [["Step 2 of 4"], []]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def unfolded(file: bytes) -> list[str]:
    text = file.decode().replace("\r\n ", "")
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").split("\r\n")


def test_the_reminder_is_named_while_it_is_to_come(enabling):
    enabling.post("enable/later")
    last = enabling.attempt.account.registered_at + timedelta(days=7)
    assert f"We remind you by e-mail on {moment(last - timedelta(days=1))}." in page_of(enabling)
    CustomerAccount.objects.update(registered_at=last - timedelta(days=13, hours=12))
    assert "We remind you" not in page_of(enabling)


def page_of(walk):
    return walk.get("enable/later").content.decode()

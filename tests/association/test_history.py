"""The console's history: every attempt the member may see, found by every filter, and as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from association.enums import LastStep, Outcome
from association.services.history import (
    OUTCOMES,
    STEPS,
    find_attempts,
    last_step,
    outcome,
)
from association.views.console import history
from tests.factories import (
    AttemptFactory,
    InvitationFactory,
    PartnerFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
    make_attempt,
)
from tests.shown_texts import unbroken

pytestmark = pytest.mark.django_db

# session, user, member; the page, the count; who has joined, messages, who does not want e-mail;
# what waits, for the navigation
STATEMENTS = 9


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def found_by(member, **filters):
    """Return the keys of the attempts on the page of these filters, in its order."""
    answer = client_of(member.user).get("/partner/history/", filters)
    assert answer.status_code == 200
    return [row["attempt"].pk for row in answer.context["rows"]]


def lines_of(member, **filters):
    answer = client_of(member.user).get("/partner/history.csv", filters)
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def link(boss):
    return InvitationFactory.create(partner=boss.partner, created_by=boss.user)


def attempts_of_every_step(link):
    """Return one attempt for each step, by the step."""
    now = timezone.now()
    return {
        LastStep.INSTRUCTIONS: make_attempt(invitation=link, agreed=False),
        LastStep.ACCOUNT: make_attempt(invitation=link),
        LastStep.REGISTER: AttemptFactory.create(
            invitation=link, registration_email="bo@example.org"
        ),
        LastStep.CHECK: AttemptFactory.create(invitation=link, entered=True, refused=True),
        LastStep.FINISH: AttemptFactory.create(invitation=link, entered=True),
        LastStep.PUT_OFF: AttemptFactory.create(invitation=link, entered=True, deferred_at=now),
        LastStep.DONE: make_associated(invitation=link).attempt,
    }


@pytest.mark.parametrize("rows", [1, 3])
def test_history_lists_with_constant_queries(boss, link, rows, django_assert_num_queries):
    for _ in range(rows):
        AttemptFactory.create(invitation=link, entered=True, refused=True)
    client = client_of(boss.user)

    with django_assert_num_queries(STATEMENTS):
        page = client.get("/partner/history/")

    assert page.content.decode().count("The account has unpaid bills.</span>") == rows


def test_history_is_newest_first_and_shows_administrators_addresses(boss, link):
    now = timezone.now()
    older = AttemptFactory.create(
        invitation=link, entered=True, started_at=now - timedelta(hours=1)
    )
    newer = AttemptFactory.create(invitation=link, started_at=now)

    page = client_of(boss.user).get("/partner/history/")

    assert [row["attempt"].pk for row in page.context["rows"]] == [newer.pk, older.pk]
    shown, owner = unbroken(page), older.account.owner
    assert owner.account_name in shown
    assert owner.email in shown
    assert "Not yet known" in shown


def test_every_step_and_outcome_is_found_by_its_filter_alone(boss, link):
    attempts = attempts_of_every_step(link)
    keys = {step: [attempt.pk] for step, attempt in attempts.items()}

    assert {step: found_by(boss, step=step) for step in STEPS} == keys
    loaded = list(find_attempts(member=boss, filters={}))
    assert {row.pk: last_step(row) for row in loaded} == {
        attempt.pk: step for step, attempt in attempts.items()
    }
    assert {result: set(found_by(boss, outcome=result)) for result in OUTCOMES} == {
        result: {row.pk for row in loaded if outcome(row) == result} for result in Outcome
    }


def test_history_finds_by_beginning_of_name_and_whole_address(boss, link):
    attempts = attempts_of_every_step(link)
    owner = attempts[LastStep.FINISH].account.owner

    assert found_by(boss, q=owner.account_name[:-1].upper() + owner.account_name[-1]) == [
        attempts[LastStep.FINISH].pk
    ]
    assert found_by(boss, q=owner.email.upper()) == [attempts[LastStep.FINISH].pk]
    assert found_by(boss, q="BO@example.org") == [attempts[LastStep.REGISTER].pk]
    assert found_by(boss, q="o@example.org") == []
    assert found_by(boss, q="@") == []
    assert found_by(boss, q="%") == []


def test_history_finds_by_refusal_channel_type_and_invitation(boss, link):
    referral = InvitationFactory.create(partner=boss.partner, email=True, referral=True)
    codes = ["cash_expenditure", "unpaid_bills"]
    refused = AttemptFactory.create(
        invitation=link, entered=True, refused=True, refusal_codes=codes
    )
    referred = AttemptFactory.create(invitation=referral)

    assert found_by(boss, refusal="unpaid_bills") == [refused.pk]
    assert found_by(boss, refusal="cash_expenditure") == [refused.pk]
    assert found_by(boss, refusal="other_partner") == []
    assert found_by(boss, channel="email") == [referred.pk]
    assert found_by(boss, association_type="referral") == [referred.pk]
    assert found_by(boss, invitation=link.pk) == [refused.pk]
    assert found_by(boss, invitation=link.pk, channel="email") == []


def test_days_are_those_of_the_partners_zone():
    partner = PartnerFactory.create(time_zone="Asia/Tokyo")
    boss = PartnerMemberFactory.create(partner=partner, administrator=True)
    invitation = InvitationFactory.create(partner=partner)
    # 00:30 of the 2nd of May in Tokyo.
    attempt = AttemptFactory.create(
        invitation=invitation, started_at=datetime(2026, 5, 1, 15, 30, tzinfo=UTC)
    )

    assert found_by(boss, since="2026-05-02", until="2026-05-02") == [attempt.pk]
    assert found_by(boss, until="2026-05-01") == []
    assert found_by(boss, since="2026-05-03") == []


def test_a_moment_without_days_finds_those_who_have_it(boss, link):
    attempts = attempts_of_every_step(link)
    refused, joined = attempts[LastStep.CHECK], attempts[LastStep.DONE]
    assert found_by(boss, moment="refused") == [refused.pk]
    assert found_by(boss, moment="associated") == [joined.pk]
    assert len(found_by(boss, moment="")) == len(attempts)


@pytest.mark.parametrize(
    "filters",
    [
        {"since": "yesterday"},
        {"since": "2026-02-30"},
        {"until": "9999-12-31"},
        {"since": "0001-01-01"},
        {"since": "2026-05-02", "until": "2026-05-01"},
        {"outcome": "won"},
        {"refusal": "x" * 5000},
        {"q": "a\0b"},
        {"q": "x" * 5000},
        {"invitation": "x"},
        {"invitation": "9" * 30},
        {"invitation": "-1"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_and_kept(boss, link, filters):
    AttemptFactory.create(invitation=link, entered=True)
    client = client_of(boss.user)

    page = client.get("/partner/history/", filters)

    assert page.status_code == 400
    assert "There is a problem" in page.content.decode()
    assert client.get("/partner/history.csv", filters).status_code == 400
    [(name, typed), *_] = filters.items()
    assert page.context["form"][name].value() == typed


def test_history_without_rows_says_what_to_do(boss, link):
    client = client_of(boss.user)

    assert "No attempts yet." in client.get("/partner/history/").content.decode()
    assert "No attempt is like that." in client.get("/partner/history/?q=x").content.decode()


def test_an_unknown_invitation_and_another_partners_look_the_same(boss):
    other = AttemptFactory.create()
    client = client_of(boss.user)

    pages = [
        client.get("/partner/history/", {"invitation": key}).content.decode()
        for key in (other.invitation_id, 2**31)
    ]

    assert pages[0].replace(f'value="{other.invitation_id}"', f'value="{2**31}"') == pages[1]


def test_history_shows_members_only_their_own_attempts(boss, link):
    own = AttemptFactory.create(invitation=link, entered=True)
    AttemptFactory.create(entered=True)
    manager = PartnerMemberFactory.create(partner=boss.partner)
    mine = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    managed = AttemptFactory.create(invitation=mine)

    assert found_by(boss) == [managed.pk, own.pk]
    assert found_by(manager) == [managed.pk]
    assert [line["Attempt"] for line in lines_of(manager)] == [str(managed.pk)]
    assert found_by(PartnerMemberFactory.create(administrator=True)) == []
    assert client_of(UserFactory.create()).get("/partner/history/").status_code == 404
    assert Client(SERVER_NAME="127.0.0.1").get("/partner/history.csv").status_code == 302


def test_csv_holds_what_the_filters_ask_for_and_runs_nothing(boss, monkeypatch):
    monkeypatch.setattr(history, "ROWS_READ_AT_ONCE", 2)
    labels = ["=1+1", "+1", "-1", "@x", "\uff1d1", 'a "b", c\nd', "\tx"]
    for label in labels:
        link = InvitationFactory.create(partner=boss.partner, label=label)
        AttemptFactory.create(invitation=link, entered=True, refused=True)
    make_attempt(invitation=link)

    lines = lines_of(boss, outcome="refused")

    assert [line["Invitation"] for line in reversed(lines)] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@x",
        "'\uff1d1",
        'a "b", c\nd',
        "'\tx",
    ]
    assert {line["Reasons"] for line in lines} == {"The account has unpaid bills."}
    assert all("@example.org" in line["E-mail"] for line in lines)
    assert {line["Outcome"] for line in lines} == {"Refused"}


def test_csv_has_the_zone_and_the_separator_of_the_partner(boss, link):
    boss.partner.time_zone, boss.partner.csv_separator = "Asia/Tokyo", "semicolon"
    boss.partner.save()
    AttemptFactory.create(invitation=link, started_at=datetime(2026, 1, 2, 20, 4, 5, tzinfo=UTC))
    answer = client_of(boss.user).get("/partner/history.csv")
    header, line = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    names = ["Customer", "Account name", "E-mail", "Invitation", "Channel", "Type", "Started"]
    assert header.startswith("".join(f'"{name}";' for name in names))
    assert ';"2026-01-03T05:04:05+09:00";' in line


def test_csv_is_a_download_with_a_name_of_ours(boss):
    answer = client_of(boss.user).get("/partner/history.csv")

    assert answer["Content-Type"].startswith("text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == 'attachment; filename="history.csv"'


def test_what_the_search_finds_more_is_one_click_away(boss):
    content = client_of(boss.user).get("/partner/history", {"q": "Müller & Co"}, follow=True)
    page = content.content.decode()
    assert 'href="/partner/search?q=M%C3%BCller%20%26%20Co"' in page
    assert "Beginning of the account name, or a whole e-mail address</label>" in page

"""A forgotten password and a changed one: codes, sessions, and no difference between addresses."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, VerificationCode
from accounts.services.codes import KEPT_FOR_OWNER, PER_DAY, code_holder, derive_code
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.accounts.test_login import log_in
from tests.factories.accounts import PASSWORD, UserFactory
from tests.shown_texts import shown_text

pytestmark = pytest.mark.django_db
NEW = "a brand new password"


def ask(client, address):
    return client.post(reverse("account_reset_password"), {"email": address})


def newest_code():
    row = VerificationCode.objects.latest("pk")
    return derive_code(row, code_holder(row.email, row.purpose))


def answer(client, code, password=NEW):
    return client.post(
        reverse("account_confirm_password_reset_code"), {"code": code, "password": password}
    )


def found(pattern, page):
    """Return what the pattern finds in the page."""
    match = re.search(pattern, page)
    assert match
    return match[1]


def plain(response):
    return re.sub(r'(?:value|datetime)="[^"]*"', "", response.content.decode())


def test_reset_by_code_sets_the_password_and_ends_every_session(client):
    user = UserFactory.create()
    elsewhere = Client()
    elsewhere.force_login(user)
    assert ask(client, user.email.upper()).status_code == 303
    response = answer(client, newest_code())
    assert (response.status_code, response["Location"]) == (303, reverse("account_login"))
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert elsewhere.get(reverse("account_settings")).status_code == 302
    assert client.get(reverse("account_settings")).status_code == 302
    assert [event.action for event in AuditEvent.objects.all()] == ["user.password_reset"]
    assert OutboxMessage.objects.latest("pk").kind == "accounts.password_changed"


def test_reset_proves_the_address(client):
    user = UserFactory.create(verified=False)
    ask(client, user.email)
    answer(client, newest_code())
    assert EmailAddress.objects.get(user=user).verified


@pytest.fixture
def stopped_clock():
    """Let no second pass, because pages count them."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.usefixtures("stopped_clock")
def test_answer_is_the_same_for_every_address():
    addresses = {
        "unknown": "nobody@example.org",
        "known": UserFactory.create(email="member@example.org").email,
        "gone": UserFactory.create(email="person@example.org", is_active=False).email,
        "staff": UserFactory.create(email="bosses@example.org", is_staff=True).email,
        "unproven": UserFactory.create(email="unsure@example.org", verified=False).email,
    }
    seen = set()
    for address in addresses.values():
        client = Client()
        asked = ask(client, address)
        shown = client.get(asked["Location"])
        again = ask(client, address)
        wrong = answer(client, "000000")
        headers = tuple(sorted(asked.headers.items()))
        cookies = tuple(sorted(client.cookies))
        body = plain(shown).replace(address, "…") + plain(wrong).replace(address, "…")
        statuses = (asked.status_code, shown.status_code, again.status_code, wrong.status_code)
        seen.add((statuses, headers, cookies, body))
    assert len(seen) == 1
    assert next(iter(seen))[0] == (303, 200, 429, 400)


def test_two_clicks_on_send_code_are_one_request(client):
    user = UserFactory.create()
    flow = found(
        r'name="flow" value="([^"]+)"', client.get("/account/password/reset/").content.decode()
    )
    other = Client()  # what the second click sees before the first is answered
    for browser in (client, other):
        browser.post(reverse("account_reset_password"), {"email": user.email, "flow": flow})
    assert VerificationCode.objects.count() == 1
    assert answer(other, newest_code()).status_code == 303


def test_two_clicks_on_set_password_lead_to_the_same_page(client):
    user = UserFactory.create()
    ask(client, user.email)
    code = newest_code()
    answers = [answer(client, code) for _ in range(2)]
    assert [(each.status_code, each["Location"]) for each in answers] == [
        (303, reverse("account_login"))
    ] * 2
    assert AuditEvent.objects.count() == 1


def test_new_code_on_request_or_until_when_none_is_possible(client):
    user = UserFactory.create()
    ask(client, user.email)
    url = reverse("account_confirm_password_reset_code")
    early = client.post(url, {"action": "send_code"})
    assert (early.status_code, early["Retry-After"]) == (429, "60")
    assert "No new code: one went to this address just now; the next is possible in" in plain(early)
    assert 'name="code"' in early.content.decode()
    assert VerificationCode.objects.count() == 1
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert client.post(url, {"action": "send_code"}).status_code == 303
    assert VerificationCode.objects.count() == 2


@pytest.fixture
def used_up(clock):
    """Return a user to whose address a stranger has sent the codes of the day."""
    user = UserFactory.create()
    for _ in range(PER_DAY - KEPT_FOR_OWNER):
        assert ask(Client(), user.email).status_code == 303
        clock.shift(timedelta(minutes=15))
    return user


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2030, 1, 1, 6, tzinfo=UTC), tick=False) as stopped:
        yield stopped


def test_owners_browser_gets_codes_when_a_stranger_has_used_up_those_of_the_day(
    client, used_up, clock
):
    log_in(client, used_up.email)
    client.post(reverse("account_logout"))
    for _ in range(KEPT_FOR_OWNER - 1):
        assert ask(client, used_up.email).status_code == 303
        clock.shift(61)
    asked = ask(client, used_up.email)
    assert asked.status_code == 303
    day_ends = datetime(2030, 1, 2, 6, tzinfo=UTC)
    assert client.get(asked["Location"]).context["code"].wait_until == day_ends
    assert answer(client, newest_code()).status_code == 303
    assert VerificationCode.objects.count() == PER_DAY
    clock.shift(61)
    refused = ask(client, used_up.email)
    assert refused.status_code == 429
    assert "No new code: 8 within 24 hours; the next is possible at" in plain(refused)
    assert int(refused["Retry-After"]) == (day_ends - timezone.now()).total_seconds()
    assert VerificationCode.objects.count() == PER_DAY


def test_page_of_the_owners_browser_tells_when_the_second_of_its_codes_is_possible(
    client, used_up, clock
):
    log_in(client, used_up.email)
    client.post(reverse("account_logout"))
    clock.shift(timedelta(hours=2))
    asked = ask(client, used_up.email)
    assert client.get(asked["Location"]).context["code"].wait_seconds == 60
    early = client.post(asked["Location"], {"action": "send_code"})
    assert (early.status_code, early["Retry-After"]) == (429, "60")
    clock.shift(60)
    assert client.post(asked["Location"], {"action": "send_code"}).status_code == 303


@pytest.mark.parametrize("cookie_of", [None, "another user"])
def test_no_other_browser_gets_the_codes_that_are_kept_for_the_owner(client, used_up, cookie_of):
    if cookie_of:
        log_in(client, UserFactory.create().email)
        client.post(reverse("account_logout"))
    assert ask(client, used_up.email).status_code == 429


@pytest.mark.parametrize(
    "case", ["used twice", "password changed", "address changed", "too old", "sixth try", "gone"]
)
def test_code_that_is_no_longer_valid_is_rejected(client, case):
    user = UserFactory.create()
    ask(client, user.email)
    code = newest_code()
    now = timezone.now()
    if case == "used twice":
        answer(client, code)
    elif case == "password changed":
        user.set_password("something else entirely")
        user.save()
    elif case == "address changed":
        User.objects.filter(pk=user.pk).update(email="elsewhere@example.org")
    elif case == "too old":
        now += timedelta(minutes=10, seconds=1)
    elif case == "sixth try":
        for _ in range(6):
            answer(client, f"{(int(code) + 1) % 10**6:06}")
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)
    before = User.objects.get(pk=user.pk).password
    with time_machine.travel(now):
        response = answer(client, code, "yet another password")
    assert response.status_code == 400
    assert User.objects.get(pk=user.pk).password == before


def test_code_of_another_browser_is_refused(client):
    user = UserFactory.create()
    ask(client, user.email)
    code = newest_code()
    other = Client()
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        ask(other, user.email)
        response = answer(other, code)
    assert response.status_code == 400
    assert "That is not the newest code of this page" in response.content.decode()


def test_too_early_in_another_browser_keeps_what_was_typed(client):
    user = UserFactory.create()
    ask(client, user.email)
    response = ask(Client(), user.email)
    assert (response.status_code, response["Retry-After"]) == (429, "60")
    page = response.content.decode()
    assert f'value="{user.email}"' in page
    assert 'name="code"' not in page


def test_asking_again_leads_back_to_the_code_that_still_works(client):
    user = UserFactory.create()
    ask(client, user.email)
    code = newest_code()
    response = ask(client, user.email)
    assert response.status_code == 429
    assert 'name="code"' in response.content.decode()
    assert answer(client, code).status_code == 303


def test_page_says_when_the_code_was_requested_and_until_when_it_lasts(client):
    with time_machine.travel(datetime(2030, 1, 1, 6, 12, 30, tzinfo=UTC), tick=False):
        ask(client, UserFactory.create().email)
        page = client.get(reverse("account_confirm_password_reset_code")).content.decode()
    assert shown_text(page, "Requested at") == (
        "Requested at 06:12 UTC and on its way, valid until 06:22 UTC;"
        " earlier codes no longer work."
    )
    with time_machine.travel(datetime(2030, 1, 1, 6, 23, tzinfo=UTC), tick=False):
        page = client.get(reverse("account_confirm_password_reset_code")).content.decode()
    assert shown_text(page, "The code requested") == (
        "The code requested at 06:12 UTC was valid until 06:22 UTC. Send a new code."
    )


def test_confirming_without_a_request_redirects_to_the_first_page(client):
    response = client.get(reverse("account_confirm_password_reset_code"))
    assert (response.status_code, response["Location"]) == (302, reverse("account_reset_password"))


@pytest.mark.parametrize(
    "sent", [None, {"code": "000000", "password": NEW}, {"action": "send_code"}]
)
def test_address_that_todays_rules_refuse_begins_again(client, sent):
    """The session has what the rules of an earlier version accepted."""
    ask(client, "person@example.org")
    session = client.session
    session["password_reset"] = {**session["password_reset"], "email": "person=?@example.org"}
    session.save()
    url = reverse("account_confirm_password_reset_code")
    response = client.get(url) if sent is None else client.post(url, sent)
    assert (response.status_code, response["Location"]) == (302, reverse("account_reset_password"))


def test_weak_password_is_refused_before_a_try_is_counted(client):
    user = UserFactory.create()
    ask(client, user.email)
    assert answer(client, newest_code(), "short").status_code == 400
    assert VerificationCode.objects.get().tries == 0
    assert answer(client, newest_code()).status_code == 303


def test_code_is_in_no_page_session_or_log(client, caplog):
    user = UserFactory.create()
    ask(client, user.email)
    code = newest_code()
    page = client.get(reverse("account_confirm_password_reset_code"))
    wrong = answer(client, code, "short")
    assert code not in page.content.decode() + wrong.content.decode()
    assert code not in str(dict(client.session)) + caplog.text


def test_many_addresses_from_one_client_are_limited(settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "send_code": (30, 3600)}
    statuses = [ask(Client(), f"person{n}@example.org").status_code for n in range(31)]
    assert statuses[:30] == [303] * 30
    assert statuses[30] == 429


def test_limit_says_how_long_to_wait(settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "send_code": (30, 3600)}
    answers = [ask(Client(), f"person{n}@example.org") for n in range(31)]
    assert 0 < int(answers[-1]["Retry-After"]) <= 3600


def test_changing_the_password_keeps_this_session_and_ends_the_others(client):
    user = UserFactory.create()
    elsewhere = Client()
    for browser in (client, elsewhere):
        browser.force_login(user)
    before = client.cookies["session"].value
    response = client.post(
        reverse("account_change_password"), {"present_password": PASSWORD, "password": NEW}
    )
    assert (response.status_code, response["Location"]) == (303, reverse("account_settings"))
    assert client.cookies["session"].value != before
    assert client.get(reverse("account_settings")).status_code == 200
    assert elsewhere.get(reverse("account_settings")).status_code == 302
    assert [event.action for event in AuditEvent.objects.all()] == ["user.password_changed"]


def test_changing_the_password_needs_the_present_one_and_is_limited(client):
    user = UserFactory.create()
    client.force_login(user)
    data = {"present_password": "not the present one", "password": NEW}
    answers = [client.post(reverse("account_change_password"), data) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    user.refresh_from_db()
    assert user.check_password(PASSWORD)

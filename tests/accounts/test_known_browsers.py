"""Guesses at one account from many networks: they end, and the owner can always log in."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse, reverse_lazy
from django.utils import timezone

from accounts.models import User, VerificationCode
from accounts.services.codes import (
    KEPT_FOR_OWNER,
    LIFETIME,
    PER_DAY,
    TRIES,
    code_holder,
    derive_code,
)
from accounts.views.mailbox_proof import _signer_of
from accounts.views.sent_codes import CodeFacts
from outbox.models import OutboxMessage
from tests.accounts.test_login import LOGIN, log_in, plain, signed_in
from tests.factories.accounts import PASSWORD, UserFactory
from tests.shown_forms import hidden_fields

pytestmark = pytest.mark.django_db
CAP = 4
KNOWN = settings.KNOWN_BROWSER_COOKIE_NAME


@pytest.fixture(autouse=True)
def cap(settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login_failed_in_a_day": (CAP, 86_400)}


def guess(login, count=CAP, first=0):
    """Return the answers to so many guesses, each from a network of its own."""
    networks = [f"198.51.100.{n}" for n in range(first, first + count)]
    return [log_in(Client(), login, "wrong password", address) for address in networks]


SEND, PROVE = reverse_lazy("account_send_log_in_code"), reverse_lazy("account_prove_mailbox")


def asked(login, guessed="wrong password", email="nobody@example.org"):
    """Return what the page that asks for a proof sends, after guesses beyond the cap.

    `email` is typed where the login is an account name.
    """
    guess(login)
    form = log_in(Client(), login, guessed, "203.0.113.77").context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    return {**sent, "email": email} if "email" in sent else sent


def prove(client, user):
    client.post(SEND, asked(user.account_name, email=user.email))
    row = VerificationCode.objects.latest("pk")
    code = derive_code(row, code_holder(row.email, row.purpose))
    return client.post(PROVE, {"code": code})


def test_cap_is_a_hundred_a_day():
    from config import settings as configured

    assert configured.RATE_LIMITS["login_failed_in_a_day"] == (100, 86_400)


def test_guesses_from_many_networks_are_evaluated_up_to_the_cap():
    user = UserFactory.create()
    assert [answer.status_code for answer in guess(user.email, CAP + 2)] == [400] * CAP + [429] * 2
    answer = log_in(Client(), user.email, address="203.0.113.9")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 86_400
    assert "First show that the account is yours" in plain(answer)
    assert PASSWORD not in plain(answer)


@pytest.fixture
def stopped_clock():
    """Let no second pass, because pages count them."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


def timeless(response):
    return re.sub(r'datetime="[^"]*"', "", plain(response))


@pytest.mark.parametrize("typed", ["nobody@example.org", "nobody-by-the-name"])
def test_cap_answers_the_same_for_an_unknown_account(typed):
    user = UserFactory.create()
    login = user.email if "@" in typed else user.account_name
    answers = [[*guess(each, CAP + 1)][-1] for each in (login, typed)]
    assert [answer.status_code for answer in answers] == [429] * 2

    def shown(answer, login):
        page = plain(answer).replace(login, "")
        return page.partition('name="flow"')[0]

    assert shown(answers[0], login) == shown(answers[1], typed)
    assert sorted(answers[0].headers) == sorted(answers[1].headers)
    assert not answers[0].cookies.keys() ^ answers[1].cookies.keys()


@pytest.mark.parametrize("limit", ["login_failed", "login_failed_in_a_day"])
@pytest.mark.parametrize("by_name_first", [False, True])
def test_limits_do_not_tell_that_a_name_and_an_address_are_one_user(settings, limit, by_name_first):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, limit: (CAP, 86_400)}
    user, other = UserFactory.create(), UserFactory.create()
    for first in (user, other):
        cache.clear()
        logins = [first.email, user.account_name]
        if by_name_first:
            logins = [first.account_name, user.email]
        answers = [log_in(Client(), logins[0], "wrong").status_code for _ in range(CAP + 1)]
        assert answers == [400] * CAP + [429]
        assert log_in(Client(), logins[1], "wrong").status_code == 400


@pytest.mark.parametrize("spelling", ["PERSON@bücher.example", "person@xn--bcher-kva.example"])
@pytest.mark.parametrize("is_known", [False, True])
def test_spellings_of_an_address_count_together_known_or_not(spelling, is_known):
    if is_known:
        UserFactory.create(email="person@xn--bcher-kva.example")
    guess("Person@BÜCHER.example", CAP)
    assert log_in(Client(), spelling, "wrong", "203.0.113.9").status_code == 429


def test_guesses_at_one_user_are_bounded_by_twice_the_cap():
    user = UserFactory.create()
    logins = [user.email, user.email.upper(), user.account_name, user.account_name.upper()]
    evaluated = [
        answer
        for number, login in enumerate(logins)
        for answer in guess(login, CAP + 1, first=10 * number)
        if answer.status_code == 400
    ]
    assert len(evaluated) == 2 * CAP


@pytest.mark.parametrize("by", ["email", "account_name"])
def test_proof_of_the_mailbox_lets_the_owner_in_at_once_by_either_login(settings, by):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login_failed": (CAP, 300)}
    user, client = UserFactory.create(), Client(REMOTE_ADDR="192.0.2.1")
    form = asked(user.email)
    for _ in range(CAP):
        log_in(client, getattr(user, by), "wrong")
    assert log_in(client, getattr(user, by)).status_code == 429
    client.post(SEND, form)
    code = derive_code(VerificationCode.objects.get(), user)
    assert client.post(PROVE, {"code": code}).status_code == 303
    assert log_in(client, getattr(user, by)).status_code == 303


def test_right_passwords_are_not_counted():
    user = UserFactory.create()
    statuses = {log_in(Client(), user.email).status_code for _ in range(CAP + 2)}
    assert statuses == {303}


def test_browser_that_logged_in_before_needs_no_code(client):
    user = UserFactory.create()
    assert log_in(client, user.email).status_code == 303
    cookie = client.cookies[KNOWN]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    client.post(reverse("account_logout"))
    guess(user.email)
    assert log_in(client, user.email, "wrong password").status_code == 400
    assert log_in(client, user.email).status_code == 303


def test_known_browser_has_a_cap_of_its_own(client):
    user = UserFactory.create()
    log_in(client, user.email)
    client.post(reverse("account_logout"))
    for n in range(CAP):
        assert log_in(client, user.email, "wrong", f"198.51.100.{n}").status_code == 400
    assert log_in(client, user.email).status_code == 429
    assert log_in(Client(), user.email, "wrong").status_code == 400


def test_cookie_of_another_user_is_worth_nothing(client):
    log_in(client, UserFactory.create().email)
    client.post(reverse("account_logout"))
    victim = UserFactory.create()
    guess(victim.email)
    assert log_in(client, victim.email).status_code == 429


def test_code_from_the_mailbox_lets_the_owner_log_in(client):
    user = UserFactory.create()
    answer = prove(client, user)
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"{LOGIN}?next=%2Faccount%2Fsettings%2F",
    )
    assert OutboxMessage.objects.latest("pk").kind == "accounts.log_in_code"
    assert not signed_in(client)
    assert log_in(client, user.account_name).status_code == 303
    assert log_in(Client(), user.account_name, address="203.0.113.9").status_code == 429


def use_up_codes(address):
    """Ask for codes for hours, as a stranger can who only knows the address."""
    start, stranger = timezone.now(), Client(REMOTE_ADDR="198.51.100.250")
    for number in range(PER_DAY + 2):
        with time_machine.travel(start + timedelta(minutes=13 * number), tick=False):
            stranger.post(reverse("account_reset_password"), {"email": address})
    return start + timedelta(hours=4)


def ask_for_code(client, login, password):
    """Log in beyond the cap, and press the button of the page that asks for a proof."""
    page = log_in(client, login, password, "203.0.113.9")
    assert page.status_code == 429
    form = page.context["form"]
    sent = client.post(
        reverse("account_send_log_in_code"),
        {name: form[name].value() for name in form.fields if form[name].value()},
    )
    assert (sent.status_code, sent["Location"]) == (303, reverse("account_prove_mailbox"))


def test_owner_gets_a_code_when_a_stranger_has_used_up_those_of_the_day(client):
    user = UserFactory.create()
    later = use_up_codes(user.email)
    assert VerificationCode.objects.count() == PER_DAY - KEPT_FOR_OWNER
    with time_machine.travel(later, tick=False):
        guess(user.email)
        ask_for_code(client, user.email, PASSWORD)
        code = derive_code(VerificationCode.objects.get(purpose="log_in"), user)
        client.post(reverse("account_prove_mailbox"), {"code": code})
        assert log_in(client, user.email, address="203.0.113.9").status_code == 303
    assert VerificationCode.objects.count() == PER_DAY - 1


@pytest.mark.parametrize("forged", [{}, {"ticket": "x:1:y"}, {"ticket": "their own"}])
def test_nobody_else_gets_that_code(client, forged):
    user, other = UserFactory.create(), UserFactory.create()
    later = use_up_codes(user.email)
    with time_machine.travel(later, tick=False):
        guess(user.email)
        ask_for_code(client, user.email, "wrong password")
        guess(other.email, first=CAP)
        page = log_in(Client(), other.email, address="203.0.113.10")
        if "ticket" in forged and forged["ticket"] == "their own":
            forged = {"ticket": page.context["form"]["ticket"].value()}
        form = {"login": user.email, "next": "", "flow": "0" * 32, **forged}
        assert Client().post(SEND, form)["Location"] == LOGIN
    assert not VerificationCode.objects.filter(purpose="log_in").exists()


def test_answers_beyond_the_cap_do_not_tell_whether_the_password_is_right():
    user = UserFactory.create()
    guess(user.email)
    told = []
    for number, password in enumerate([PASSWORD, "wrong password"]):
        address = f"203.0.113.{number}"
        answers = [log_in(Client(), user.email, password, address) for _ in range(7)]
        told.append([(answer.status_code, answer.templates[0].name) for answer in answers])
    assert told[0] == told[1]
    assert len(set(told[0])) == 2


def test_wrong_code_proves_nothing_and_the_sixth_is_refused(client):
    user = UserFactory.create()
    client.post(SEND, asked(user.email))
    row = VerificationCode.objects.get()
    right = derive_code(row, user)
    wrong = "000000" if right != "000000" else "000001"
    for code in [*[wrong] * TRIES, right]:
        answer = client.post(PROVE, {"code": code})
        assert answer.status_code == 400
        assert KNOWN not in answer.cookies
    row.refresh_from_db()
    assert row.tries == TRIES
    assert log_in(client, user.email, address="203.0.113.9").status_code == 429


def test_nothing_is_sent_without_a_guess_or_for_another_login(client):
    user = UserFactory.create()
    other = asked("nobody-by-the-name")
    for changed in ({"ticket": ""}, {"ticket": "x:1:y"}, {}):
        # Also where nobody has the login: that the ticket is refused tells nothing.
        for login in (user.account_name, user.email, "no-such-name", "nobody@example.org"):
            form = {**other, **changed, "login": login, "email": user.email}
            answer = client.post(SEND, form)
            assert (answer.status_code, answer["Location"]) == (303, LOGIN)
            assert client.get(PROVE)["Location"] == LOGIN
    assert not VerificationCode.objects.exists()
    assert not OutboxMessage.objects.filter(kind__startswith="accounts.log_in_").exists()


@pytest.mark.usefixtures("stopped_clock")
def test_ticket_is_as_old_as_a_code_may_be(client):
    form = asked(UserFactory.create().email)
    with time_machine.travel(timezone.now() + LIFETIME + timedelta(seconds=1), tick=False):
        assert client.post(SEND, form)["Location"] == LOGIN
    assert client.post(SEND, form)["Location"] == PROVE


def six_wrong_codes(login, email, guessed="wrong password"):
    """After a guess beyond the cap, return the answers to six codes, and if one was sent.

    The address is typed where the login is an account name.
    """
    visitor, before = Client(), VerificationCode.objects.count()
    assert visitor.post(SEND, asked(login, guessed, email))["Location"] == str(PROVE)
    answers = [visitor.post(PROVE, {"code": f"{number:06}"}) for number in range(TRIES + 1)]
    told = [
        (each.status_code, timeless(each).replace(email, "…"), sorted(each.headers))
        for each in answers
    ]
    assert "This code is not right or no longer works." in told[0][1]
    return told, VerificationCode.objects.count() > before


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("unknown", ["nobody@example.org", "nobody-by-the-name"])
def test_six_wrong_codes_do_not_tell_whether_the_login_is_known(unknown):
    user = UserFactory.create()
    known, was_sent = six_wrong_codes(user.account_name, user.email)
    assert was_sent
    told, was_sent = six_wrong_codes(unknown, "nobody@example.org")
    assert was_sent
    assert told == known


def test_six_wrong_codes_do_not_tell_whether_the_guessed_password_is_right():
    user = UserFactory.create()
    later = use_up_codes(user.email)
    with time_machine.travel(later, tick=False):
        wrong, was_sent = six_wrong_codes(user.email, user.email)
        assert not was_sent
    cache.clear()
    with time_machine.travel(later, tick=False):
        right, was_sent = six_wrong_codes(user.email, user.email, PASSWORD)
        assert was_sent
    assert right == wrong


@pytest.mark.usefixtures("stopped_clock")
def test_six_wrong_codes_do_not_tell_to_which_address_a_name_belongs():
    user, other = UserFactory.create(), UserFactory.create()
    Client().post(reverse("account_reset_password"), {"email": user.email})
    theirs, was_sent = six_wrong_codes(user.account_name, user.email)
    assert not was_sent
    others, was_sent = six_wrong_codes(user.account_name, other.email)
    assert was_sent
    assert theirs == others


@pytest.mark.usefixtures("stopped_clock")
def test_proof_that_an_earlier_version_began_shows_no_address(client):
    """It sent the code of a log-in by name to the address of the owner, which was not typed."""
    user = UserFactory.create()
    client.get(LOGIN)
    session = client.session
    session["mailbox_proof"] = {
        "login": user.account_name,
        "email": user.email,
        "flow": "0" * 32,
        "knows_password": False,
        "next": "",
        "code": CodeFacts(timezone.now(), None, timezone.now()).to_keep(),
    }
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    assert client.get(PROVE)["Location"] == LOGIN
    answer = client.post(reverse("account_send_new_log_in_code"))
    assert (answer.status_code, answer["Location"]) == (303, LOGIN)


def test_log_in_by_name_sends_to_no_address_that_was_not_typed():
    """Else pages that tell when a code went to an address tell to whom the name belongs."""
    user = UserFactory.create()
    Client().post(SEND, asked(user.account_name, email="stranger@example.org"))
    assert [row.email for row in VerificationCode.objects.all()] == ["stranger@example.org"]
    assert (
        Client().post(reverse("account_reset_password"), {"email": user.email}).status_code == 303
    )


def test_code_kept_for_the_owner_goes_to_the_owners_address_only(client):
    victim, guesser = UserFactory.create(), UserFactory.create()
    later = use_up_codes(victim.email)
    with time_machine.travel(later, tick=False):
        form = asked(guesser.account_name, PASSWORD, victim.email)
        assert client.post(SEND, form)["Location"] == PROVE
        assert not VerificationCode.objects.filter(purpose="log_in").exists()
        cache.clear()
        form = asked(victim.account_name, PASSWORD, victim.email)
        assert client.post(SEND, form)["Location"] == PROVE
        assert VerificationCode.objects.get(purpose="log_in").email == victim.email


@pytest.mark.parametrize("typed", ["", "no address"])
def test_log_in_by_name_needs_the_address(client, typed):
    answer = client.post(SEND, asked(UserFactory.create().account_name, email=typed))
    assert answer.status_code == 400
    assert "There is a problem" in plain(answer)
    assert not VerificationCode.objects.exists()


def test_code_is_used_once_and_for_its_flow(client):
    user = UserFactory.create()
    prove(client, user)
    row = VerificationCode.objects.get()
    assert row.spent_at is not None
    page = reverse("account_prove_mailbox")
    assert client.post(page, {"code": derive_code(row, user)})["Location"] == LOGIN
    thief = Client()
    assert thief.post(page, {"code": derive_code(row, user)})["Location"] == LOGIN
    assert KNOWN not in thief.cookies


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("by_name", [False, True])
def test_unknown_account_gets_the_same_pages(by_name):
    known = UserFactory.create(account_name="known-name", email="known@example.org")
    unknown = User(account_name="other-name", email="other@example.org")
    pages = []
    for person in (known, unknown):
        visitor = Client()
        form = asked(person.account_name if by_name else person.email, email=person.email)
        sent = visitor.post(SEND, form)
        shown = visitor.get(sent["Location"])
        wrong = visitor.post(PROVE, {"code": "000000"})
        early = visitor.post(SEND, form)
        statuses = [each.status_code for each in (sent, shown, wrong, early)]
        texts = [timeless(each).replace(person.email, "…") for each in (shown, wrong, early)]
        pages.append([statuses, early["Retry-After"], texts])
    assert pages[0] == pages[1]
    assert pages[0][0] == [303, 200, 400, 429]
    others = OutboxMessage.objects.exclude(recipient=known.email)
    assert [message.kind for message in others] == ["accounts.log_in_unknown"]


def test_new_password_by_code_makes_the_browser_known(client):
    user = UserFactory.create()
    guess(user.email)
    client.post(reverse("account_reset_password"), {"email": user.email})
    code = derive_code(VerificationCode.objects.get(), user)
    new = "a brand new password"
    page = reverse("account_confirm_password_reset_code")
    assert client.post(page, {"code": code, "password": new}).status_code == 303
    assert log_in(client, user.email, new).status_code == 303


def test_proof_pages_lead_to_the_log_in_without_a_beginning(client):
    assert client.get(reverse("account_prove_mailbox"))["Location"] == LOGIN
    sent = client.get(reverse("account_send_log_in_code"))
    assert (sent.status_code, sent["Location"]) == (303, reverse("account_prove_mailbox"))
    assert User.objects.count() == 0


@pytest.mark.parametrize("sent", [{"flow": "0" * 32}, {"login": "a@example.org", "flow": "x"}])
def test_form_without_a_login_or_flow_is_shown_again_also_where_a_proof_has_begun(client, sent):
    user = UserFactory.create()
    client.post(SEND, asked(user.email))
    before = VerificationCode.objects.count()
    assert before == 1
    response = client.post(reverse("account_send_log_in_code"), sent)
    assert response.status_code == 400
    assert "There is a problem" in plain(response)
    assert VerificationCode.objects.count() == before


def test_429_of_the_networks_codes_gives_back_what_can_be_sent_again(client, settings):
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "send_code": (1, 3600)}
    user, page = UserFactory.create(), reverse("account_send_log_in_code")
    ticket = ticket_for(user.email)
    sent = {"login": user.email, "next": "/account/settings/", "flow": "0" * 32, "ticket": ticket}
    other = "somebody.else@example.org"
    Client().post(page, {**sent, "login": other, "ticket": ticket_for(other)})
    answer = client.post(page, sent)
    assert (answer.status_code, answer.templates[0].name) == (429, "429.html")
    given_back = hidden_fields(answer)
    assert {name: given_back[name] for name in sent} == sent
    assert VerificationCode.objects.filter(email=user.email).count() == 0
    cache.clear()
    assert client.post(page, given_back).status_code == 303
    assert VerificationCode.objects.filter(email=user.email).count() == 1


def test_new_code_goes_to_the_mailbox_of_the_proof_that_has_begun(client):
    page = reverse("account_send_new_log_in_code")
    assert client.post(page)["Location"] == LOGIN
    user = UserFactory.create()
    client.post(SEND, asked(user.email))
    VerificationCode.objects.all().delete()
    assert (client.post(page).status_code, VerificationCode.objects.count()) == (429, 0)
    cache.clear()
    assert client.post(page)["Location"] == reverse("account_prove_mailbox")
    assert VerificationCode.objects.get().email == user.email


@pytest.fixture
def clock():
    with time_machine.travel(datetime(2030, 1, 1, 6, 0, tzinfo=UTC), tick=False) as stopped:
        yield stopped


def ticket_for(login):
    """Return the ticket of the page that asks for a proof, without the guesses that lead to it."""
    return _signer_of(login, knows_password=False).sign("ticket")


def click(client, login):
    """Ask for a code; return the status, and the sentence where none was requested."""
    answer = client.post(SEND, {"login": login, "flow": "0" * 32, "ticket": ticket_for(login)})
    return answer.status_code, answer.context["problem"] if answer.context else ""


def just_requested(seconds):
    sentence = "No new code: one was requested less than a minute ago; the next is possible in {}."
    return (429, sentence.format("1 second" if seconds == 1 else f"{seconds} seconds"))


def five_requested(at):
    sentence = f"No new code: 5 were requested within the hour; the next is possible at {at} UTC."
    return (429, sentence)


def test_refused_clicks_use_up_no_codes_of_the_hour(client, clock):
    user = UserFactory.create()
    assert click(client, user.email) == (303, "")
    clock.shift(1)
    assert [click(client, user.email) for _ in range(6)] == [just_requested(59)] * 6
    for _ in range(4):
        clock.shift(60)
        assert click(client, user.email) == (303, "")
    assert VerificationCode.objects.count() == 5


def test_sentence_names_the_limit_that_ends_last(client, clock):
    user = UserFactory.create()
    for minutes in (0, 15, 15, 15, 13):
        clock.shift(timedelta(minutes=minutes))
        assert click(client, user.email) == (303, "")
    # Both are reached; later the hour alone, whose end is less than a minute away.
    for seconds in (30, 40):
        clock.shift(seconds)
        assert click(client, user.email) == five_requested("07:00")
    clock.shift(50)
    assert click(client, user.email) == (303, "")


def test_minute_is_named_where_it_ends_after_the_hour(client, clock):
    user = UserFactory.create()
    for seconds in (0, 900, 900, 900, 880):
        clock.shift(seconds)
        assert click(client, user.email) == (303, "")
    clock.shift(10)
    assert click(client, user.email) == just_requested(50)


def test_click_that_the_hour_refuses_is_not_called_requested(client, clock):
    user = UserFactory.create()
    for _ in range(5):
        assert click(client, user.email) == (303, "")
        clock.shift(60)
    clock.shift(timedelta(minutes=54, seconds=15))
    assert [click(client, user.email) for _ in range(2)] == [five_requested("07:00")] * 2

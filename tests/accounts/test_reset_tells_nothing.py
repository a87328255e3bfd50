"""A forgotten password: in every state of the limits, known and unknown addresses look alike."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User, VerificationCode
from accounts.services.codes import KEPT_FOR_OWNER, PER_DAY, PER_HOUR
from tests.accounts.test_login import log_in
from tests.factories.accounts import PASSWORD, UserFactory
from web import limits

pytestmark = pytest.mark.django_db

MORNING = datetime(2030, 1, 1, 6, tzinfo=UTC)
CAP, WRONG = 3, "wrong password"
# What differs between any two answers.
RANDOM = re.compile(
    r"""nonce(?:="|-)[\w+/=-]+|name="(?:csrfmiddlewaretoken|flow)" value="[^"]*"|"""
    r"""datetime="[^"]*\""""
)


@pytest.fixture(autouse=True)
def cap(settings):
    settings.RATE_LIMITS = {
        **settings.RATE_LIMITS,
        "login_failed_in_a_day": (CAP, 86_400),
        "send_code": (40, 3600),
    }


def elsewhere(number=1):
    return Client(REMOTE_ADDR=f"198.51.100.{number}")


def ask(address):
    """Let somebody else ask for a code; return whether one was sent."""
    answer = elsewhere().post(reverse("account_reset_password"), {"email": address})
    return answer.status_code == 303


def untouched(person, clock):
    pass


def minute(person, clock):
    assert ask(person.email)
    clock.shift(20)


def hour(person, clock):
    for _ in range(PER_HOUR):
        assert ask(person.email)
        clock.shift(120)


def day(person, clock):
    for _ in range(PER_DAY - KEPT_FOR_OWNER):
        assert ask(person.email)
        clock.shift(timedelta(minutes=15))
    clock.shift(timedelta(hours=3))


def guess_beyond(login, email, *, password):
    """Guess beyond the limit of the day, and ask for the code that a log-in needs then."""
    for number in range(CAP):
        log_in(Client(), login, WRONG, f"198.51.100.{number}")
    page = log_in(Client(), login, password, "203.0.113.9")
    assert page.status_code == 429
    form = page.context["form"]
    sent = {name: form[name].value() or "" for name in form.fields}
    if "email" in sent:
        sent["email"] = email
    answer = elsewhere(9).post(reverse("account_send_log_in_code"), sent)
    assert answer.status_code == 303


def guessed_by_address(person, clock):
    guess_beyond(person.email, person.email, password=WRONG)


def guessed_by_name(person, clock):
    """The stranger knows the account name, and guesses that the address is this person's."""
    guess_beyond(person.account_name, "stranger@example.org", password=WRONG)


def guessed_by_name_for_this_address(person, clock):
    guess_beyond(person.account_name, person.email, password=WRONG)


def password_was_right(person, clock):
    """A code that is kept for the owner goes out."""
    day(person, clock)
    guess_beyond(person.email, person.email, password=PASSWORD)
    clock.shift(20)


def password_was_right_by_name(person, clock):
    day(person, clock)
    guess_beyond(person.account_name, person.email, password=PASSWORD)
    clock.shift(20)


def everybody(person, clock):
    """The limit of this client's network, for any addresses."""
    for _ in range(40):
        limits.count_use("send_code", "127.0.0.1")


# What the pages answer in each state: asked, shown, asked again, a wrong code, a new code.
STATES = {
    untouched: [303, 200, 429, 400, 429],
    minute: [429, 302, 429, 302, 302],
    hour: [429, 302, 429, 302, 302],
    day: [429, 302, 429, 302, 302],
    guessed_by_address: [429, 302, 429, 302, 302],
    guessed_by_name: [303, 200, 429, 400, 429],
    guessed_by_name_for_this_address: [429, 302, 429, 302, 302],
    password_was_right: [429, 302, 429, 302, 302],
    password_was_right_by_name: [429, 302, 429, 302, 302],
    everybody: [429, 302, 429, 302, 302],
}
PEOPLE = {
    "known": {},
    "gone": {"is_active": False},
    "administrator": {"is_staff": True},
    "unproven": {"verified": False},
}


def told(response, person):
    """Return all that an answer tells: status, text, headers, cookies with their attributes."""

    def neutral(text):
        return RANDOM.sub("", text).replace(person.email, "…")

    cookies = {
        name: {key: value for key, value in cookie.items() if key not in ("expires", "max-age")}
        for name, cookie in response.cookies.items()
    }
    headers = {name: neutral(value) for name, value in response.headers.items()}
    headers.pop("X-Request-ID", None)
    # A signed cookie or a token is as long as any other.
    headers["Content-Length"] = "…"
    return response.status_code, neutral(response.content.decode()), headers, cookies


def answers_to(person, prepare):
    """Return what a new visitor is told about this address in this state."""
    cache.clear()
    with time_machine.travel(MORNING, tick=False) as clock:
        prepare(person, clock)
        visitor = Client()
        reset = reverse("account_confirm_password_reset_code")
        answers = [
            visitor.post(reverse("account_reset_password"), {"email": person.email}),
            visitor.get(reset),
            visitor.post(reverse("account_reset_password"), {"email": person.email}),
            visitor.post(reset, {"code": "000000", "password": "a brand new password"}),
            visitor.post(reset, {"action": "send_code"}),
        ]
    return [told(answer, person) for answer in answers]


@pytest.mark.slow
@pytest.mark.parametrize("kind", PEOPLE)
@pytest.mark.parametrize("prepare", STATES)
def test_known_and_unknown_addresses_look_alike(prepare, kind):
    known = UserFactory.create(account_name="known-name", email="known@example.org", **PEOPLE[kind])
    unknown = User(account_name="other-name", email="other@example.org")
    answers = answers_to(known, prepare)
    assert answers == answers_to(unknown, prepare)
    assert [status for status, *_ in answers] == STATES[prepare]


@pytest.mark.parametrize("prepare", [password_was_right, password_was_right_by_name])
def test_code_that_is_kept_for_the_owner_was_sent(prepare):
    """The two states of that name are what they say."""
    user = UserFactory.create()
    answers_to(user, prepare)
    assert VerificationCode.objects.filter(email=user.email, is_kept_for_owner=True).count() == 1

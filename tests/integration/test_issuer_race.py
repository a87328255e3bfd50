"""The same person comes back from an issuer twice at once, on PostgreSQL."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.issuers import read_issuers
from accounts.models import ConnectedLogin, CustomerAccount, User
from accounts.services import connected_logins, issuer_registration
from accounts.services.connected_logins import Identity, connect_login, disconnect_login
from accounts.services.issuer_registration import Person, register_person
from association.services import attempts, registration
from association.services.registration import register_person_for_attempt
from tests.accounts.test_codes_race import at_once
from tests.factories import ConnectedLoginFactory, UserFactory, make_attempt
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
IDENTITY = Identity("https://id.provider.example", "subject-1")


def person(**changed):
    known = {"identity": IDENTITY, "email": "race@example.org", "country": "DE"}
    return Person(**known | changed)


def register(who):
    user = register_person(person=who, country="DE", language="en", now=timezone.now())
    return user.pk


def all_look_before_one_writes(monkeypatch, count, module=issuer_registration):
    """Let every request see that the log-in is unknown before the first is written."""
    gate, look = threading.Barrier(count), connected_logins.find_connected_user
    met = threading.local()

    def look_together(identity):
        found = look(identity)
        if not hasattr(met, "once"):
            met.once = True
            gate.wait(timeout=20)
        return found

    monkeypatch.setattr(module, "find_connected_user", look_together)


def test_two_ways_back_at_once_make_one_account(monkeypatch):
    all_look_before_one_writes(monkeypatch, 4)
    assert len(set(at_once(register, [person()] * 4))) == 1
    assert (User.objects.count(), CustomerAccount.objects.count()) == (1, 1)
    assert ConnectedLogin.objects.count() == 1


def test_requests_really_meet(monkeypatch):
    """Without the second look the others end with the database's error."""
    all_look_before_one_writes(monkeypatch, 4)
    monkeypatch.setattr(issuer_registration, "IntegrityError", _NoError)

    def try_to_register(who):
        try:
            return register(who)
        except IntegrityError:
            return "error"

    results = at_once(try_to_register, [person()] * 4)
    assert results.count("error") == 3


class _NoError(Exception):
    """Is never raised."""


def test_two_subjects_with_one_address_make_one_account(monkeypatch):
    all_look_before_one_writes(monkeypatch, 2)
    people = [person(identity=Identity(IDENTITY.issuer, f"subject-{n}")) for n in range(2)]

    def try_to_register(who):
        try:
            return register(who)
        except Refused as refused:
            return refused.code.value

    results = at_once(try_to_register, people)
    assert results.count("address_has_account") == 1
    assert ConnectedLogin.objects.count() == User.objects.count() == 1


def enter_at_once(attempt, people):
    """Return for each person who comes back in the attempt: the user, the refusal, or "error"."""

    def enter(who):
        try:
            return register_person_for_attempt(
                attempt=type(attempt).objects.get(pk=attempt.pk),
                person=who,
                country="DE",
                now=timezone.now(),
            ).pk
        except Refused as refused:
            return refused.code.value
        except IntegrityError:
            return "error"

    return at_once(enter, people)


def test_two_ways_back_at_once_enter_the_attempt_once(monkeypatch):
    all_look_before_one_writes(monkeypatch, 4)
    attempt = make_attempt()
    who = person(registered_at=attempt.started_at + timedelta(microseconds=1))
    [user_id] = set(enter_at_once(attempt, [who] * 4))
    attempt.refresh_from_db()
    assert attempt.account.owner == User.objects.get(pk=user_id)


def test_ways_back_in_an_attempt_really_meet(monkeypatch):
    """Without the second look the others end with the database's error."""
    all_look_before_one_writes(monkeypatch, 4)
    monkeypatch.setattr(issuer_registration, "IntegrityError", _NoError)
    assert enter_at_once(make_attempt(), [person()] * 4).count("error") == 3


def two_people_enter(attempt, monkeypatch):
    """Let both have an account before one enters; return the outcomes, users as "entered"."""
    gate, enter = threading.Barrier(2), attempts.enter_attempt

    def meet_and_enter(**fields):
        gate.wait(timeout=20)
        return enter(**fields)

    monkeypatch.setattr(registration, "enter_attempt", meet_and_enter)
    people = [
        person(identity=Identity(IDENTITY.issuer, f"subject-{n}"), email=f"race-{n}@example.org")
        for n in range(2)
    ]
    outcomes = enter_at_once(attempt, people)
    return sorted("entered" if isinstance(one, int) else one for one in outcomes)


def test_two_people_at_once_enter_one_attempt_with_one_account(monkeypatch):
    assert two_people_enter(make_attempt(), monkeypatch) == ["entered", "other_account"]
    # The account of the other has not been made.
    assert User.objects.filter(email__startswith="race-").count() == 1
    assert ConnectedLogin.objects.count() == 1


def test_two_people_enter_one_attempt_without_its_lock(monkeypatch):
    attempt, gate, met = make_attempt(), threading.Barrier(2), threading.local()

    def look_together(attempt):
        found = type(attempt).objects.get(pk=attempt.pk)
        if not hasattr(met, "once"):
            met.once = True
            gate.wait(timeout=20)
        return found

    monkeypatch.setattr(attempts, "lock_unfinished", look_together)
    assert two_people_enter(attempt, monkeypatch) == ["entered", "entered"]
    assert ConnectedLogin.objects.count() == 2


def connect_one_log_in_with_two_users(monkeypatch):
    """Let both requests see that the log-in is free before one connects it."""
    all_look_before_one_writes(monkeypatch, 2, module=connected_logins)

    def connect(user):
        try:
            connect_login(user=user, identity=IDENTITY, by=user, now=timezone.now())
        except Refused as refused:
            return refused.code.value
        except IntegrityError:
            return "error"
        return "connected"

    return sorted(at_once(connect, [UserFactory.create() for _number in range(2)]))


def test_one_log_in_is_connected_with_one_of_two_users(monkeypatch):
    outcomes = connect_one_log_in_with_two_users(monkeypatch)
    assert outcomes == ["connected", "connected_with_another_user"]
    assert ConnectedLogin.objects.count() == 1


def test_two_users_really_connect_at_once(monkeypatch):
    """Without the second look the slower one ends with the database's error."""
    monkeypatch.setattr(connected_logins, "IntegrityError", _NoError)
    assert connect_one_log_in_with_two_users(monkeypatch) == ["connected", "error"]


def remaining_after_both_are_disconnected(settings):
    names = ("first", "second")
    rows = [
        {"id": name, "name": name, "issuer": f"https://{name}.example", "client_id": "a"}
        for name in names
    ]
    settings.OIDC_PROVIDERS = read_issuers(json.dumps(rows), allow_http=False)
    user = UserFactory.create(password="!none")
    logins = [ConnectedLoginFactory.create(user=user, issuer=row["issuer"]) for row in rows]

    def disconnect(login):
        try:
            disconnect_login(user=user, login_id=login.pk, by=user, now=timezone.now())
        except Refused as refused:
            return refused.code.value
        return "disconnected"

    at_once(disconnect, logins)
    return ConnectedLogin.objects.filter(user=user).count()


def test_last_way_in_stays_when_both_are_disconnected_at_once(settings):
    assert remaining_after_both_are_disconnected(settings) == 1


def test_last_way_in_is_lost_without_the_lock(settings, monkeypatch):
    gate, look = threading.Barrier(2), connected_logins.list_connected_logins

    def look_together(user_id):
        found = look(user_id)
        gate.wait(timeout=20)
        return found

    monkeypatch.setattr(connected_logins, "list_connected_logins", look_together)
    monkeypatch.setattr(
        "django.db.models.query.QuerySet.select_for_update", lambda self, **_options: self.all()
    )
    assert remaining_after_both_are_disconnected(settings) == 0

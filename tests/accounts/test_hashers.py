"""Hashing is bounded: few wait, the others get a 503 at once, and nothing is counted for them."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client
from django.urls import resolve, reverse

from accounts import hashers
from accounts.models import VerificationCode
from accounts.services.codes import code_holder, derive_code
from tests import factories
from tests.accounts.test_login import log_in
from tests.conventions.sources import ROOT
from tests.factories.accounts import PASSWORD, UserFactory
from web.refused import Busy

HASHER = "accounts.hashers.Argon2idHasher"


@pytest.fixture
def full():
    """Admit as many hashes as may wait and run, none of which ends."""
    with ExitStack() as stack:
        for _ in range(1 + hashers.WAITING):
            stack.enter_context(hashers._admitted)
        yield


@pytest.fixture
def counted(monkeypatch):
    """Count the hashes at the same time, by Argon2 itself; a busy machine may take its time."""
    monkeypatch.setattr(hashers, "LONGEST_WAIT_SECONDS", 20)
    running, most, lock = [], [], threading.Lock()
    original = Argon2PasswordHasher.encode

    def encode(self, *args):
        with lock:
            running.append(1)
            most.append(len(running))
        try:
            return original(self, *args)
        finally:
            with lock:
                running.pop()

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    return most


def hash_in_threads(count):
    hasher, start = hashers.Argon2idHasher(), threading.Barrier(count)

    def hash_one(number):
        start.wait(timeout=20)
        try:
            return hasher.encode("a password", f"a salt {number}")[:8]
        except Busy:
            return "busy"

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(hash_one, range(count)))


def test_one_hash_at_a_time(counted):
    assert hash_in_threads(6) == ["argon2$a"] * 6
    assert max(counted) == 1


def test_more_hashes_run_at_the_same_time_without_the_bound(counted, monkeypatch):
    monkeypatch.setattr(hashers, "_turn", threading.BoundedSemaphore(6))
    hash_in_threads(6)
    assert max(counted) > 1


def test_those_beyond_the_waiting_ones_are_refused_at_once(full):
    assert hash_in_threads(3) == ["busy"] * 3


def test_nobody_waits_longer_than_a_moment(monkeypatch):
    monkeypatch.setattr(hashers, "LONGEST_WAIT_SECONDS", 0.01)
    with hashers._turn:
        assert hash_in_threads(2) == ["busy"] * 2
    assert hash_in_threads(1) == ["argon2$a"]


@pytest.mark.django_db
def test_log_in_beyond_the_bound_is_a_503_that_counts_nothing(client, settings, full):
    settings.PASSWORD_HASHERS = [HASHER]
    answers = [log_in(client, "nobody@example.org") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {503}
    assert answers[0]["Retry-After"] == "2"
    assert b"not available for a moment" in answers[0].content


@pytest.mark.django_db
def test_log_in_beyond_the_bound_is_refused_before_anything_is_read(
    client, full, django_assert_num_queries
):
    client.force_login(UserFactory.create())
    with django_assert_num_queries(0):
        answer = client.post(reverse("account_login"), {"login": "a", "password": "b"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")


@pytest.mark.django_db
def test_guess_that_found_no_turn_is_not_counted(client, settings, monkeypatch):
    settings.PASSWORD_HASHERS = [HASHER]
    monkeypatch.setattr(hashers, "LONGEST_WAIT_SECONDS", 0.01)
    user = UserFactory.create()
    with hashers._turn:
        assert {log_in(client, user.email, "wrong").status_code for _ in range(8)} == {503}
    assert [log_in(client, user.email, "wrong").status_code for _ in range(5)] == [400] * 5
    assert log_in(client, user.email).status_code == 429


@pytest.mark.django_db
def test_other_pages_that_hash_are_a_503_too(settings):
    settings.PASSWORD_HASHERS = [HASHER]
    user = UserFactory.create()
    member, stranger = Client(), Client()
    member.force_login(user)
    stranger.post(reverse("account_reset_password"), {"email": user.email})
    row = VerificationCode.objects.get()
    code = derive_code(row, code_holder(row.email, row.purpose))
    new = {"password": "a brand new password"}
    reset = reverse("account_confirm_password_reset_code")
    with ExitStack() as stack:
        for _ in range(1 + hashers.WAITING):
            stack.enter_context(hashers._admitted)
        answers = [
            stranger.post(reset, {"code": code, **new}),
            member.post(reverse("account_change_password"), {"present_password": PASSWORD, **new}),
            member.post(reverse("account_reauthenticate"), {"password": PASSWORD}),
        ]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert stranger.post(reset, {"code": code, **new}).status_code == 303


@pytest.mark.django_db
def test_registration_that_finds_no_turn_can_be_sent_again(client, settings, full):
    settings.PASSWORD_HASHERS = [HASHER]
    attempt = factories.make_attempt()
    client.cookies["browser"] = factories.BROWSER_SECRET
    typed = {"country": "FR", "email": "new@example.org"}
    client.post(reverse("join_send_code", args=[attempt.pk]), typed)
    row = VerificationCode.objects.get()
    page = reverse("join_create_account", args=[attempt.pk])
    sent = client.post(page, {"code": derive_code(row, None), "password": PASSWORD})
    assert sent.status_code == 503
    row.refresh_from_db()
    assert (row.spent_at, row.spent_by) == (None, None)


def test_a_flood_of_log_ins_leaves_threads_for_other_pages():
    """`WAITING` is chosen by the number of threads of one process."""
    configured = (ROOT / "config" / "gunicorn.conf.py").read_text()
    threads = int(re.search(r"^threads = (\d+)$", configured, re.MULTILINE)[1])
    assert threads - (1 + hashers.WAITING) == 2


def test_capacity_is_asked_for_paths_that_exist(settings):
    assert [resolve(path).view_name for path in settings.CAPACITY_CHECKS] == ["account_login"]

"""Verification codes under parallel load, on PostgreSQL; each race with its positive control."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from accounts.enums import CodePurpose
from accounts.models import User, VerificationCode
from accounts.services import codes
from accounts.services.codes import check_code, derive_code, send_code
from accounts.services.registration import register_account
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ADDRESS, FLOW, PASSWORD = "race@example.org", "flow", "correct horse battery staple"
HERE = {"email": ADDRESS, "purpose": CodePurpose.REGISTER, "flow": FLOW}


def at_once(action, arguments):
    """Run the action for every argument at the same moment, and return the results."""
    gate = threading.Barrier(len(arguments))

    def run(argument):
        try:
            gate.wait(timeout=20)
            return action(argument)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(run, arguments))


def send(_number=0):
    try:
        return send_code(**HERE, language="en", now=timezone.now()).row
    except Refused:
        return None


def guess(code):
    try:
        return check_code(**HERE, code=code, now=timezone.now())
    except Refused as refused:
        return refused.code


def wrong_codes(right, count):
    return [f"{(int(right) + n) % 10**6:06}" for n in range(1, count + 1)]


def register(_number):
    row = VerificationCode.objects.get()
    proof = check_code(**HERE, code=derive_code(row, None), now=timezone.now())
    with transaction.atomic():
        user = register_account(
            proof=proof,
            address=ADDRESS,
            password=PASSWORD,
            password_hash=make_password(PASSWORD),
            country="DE",
            language="en",
            now=timezone.now(),
        )
    return user.pk


def test_parallel_sends_make_one_code():
    results = at_once(send, range(12))
    assert len([row for row in results if row]) == 1
    assert VerificationCode.objects.count() == 1


def test_parallel_sends_make_more_codes_without_the_lock(monkeypatch):
    gate = threading.Barrier(6)
    monkeypatch.setattr(codes, "lock_name", lambda name: None)
    original = codes._sent_in_a_day

    def slow(address, now):
        found = original(address, now)
        gate.wait(timeout=20)
        return found

    monkeypatch.setattr(codes, "_sent_in_a_day", slow)
    at_once(send, range(6))
    assert VerificationCode.objects.count() > 1


def test_fifty_parallel_guesses_get_five_tries_and_the_right_one_last_is_refused():
    right = derive_code(send(), None)
    results = at_once(guess, wrong_codes(right, 50))
    assert sorted(results) == ["used_up"] * 45 + ["wrong"] * 5
    assert guess(right) == "used_up"
    assert VerificationCode.objects.get().tries == 5


def test_parallel_guesses_get_more_tries_when_they_are_rolled_back(monkeypatch):
    """Without a commit of its own, the error rolls the try back with the caller's transaction."""
    right = derive_code(send(), None)
    monkeypatch.setattr(
        "accounts.services.codes.transaction.atomic", lambda **options: nullcontext()
    )

    def rolled_back(code):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            try:
                return guess(code)
            finally:
                cursor.execute("ROLLBACK")

    results = at_once(rolled_back, wrong_codes(right, 20))
    assert results.count("wrong") > 5


def test_check_code_cannot_run_in_a_transaction():
    right = derive_code(send(), None)
    with pytest.raises(RuntimeError), transaction.atomic():
        guess(right)


def test_double_click_on_register_makes_one_account():
    send()
    assert len(set(at_once(register, range(5)))) == 1
    assert User.objects.count() == 1


def test_same_address_proven_in_two_flows_makes_one_account():
    now = timezone.now()
    proofs = []
    for flow in ("one", "two"):
        row = VerificationCode.objects.create(
            email=ADDRESS,
            purpose=CodePurpose.REGISTER,
            flow=flow,
            nonce=flow,
            sent_at=now,
            expires_at=now + codes.LIFETIME,
        )
        where = {"email": ADDRESS, "purpose": CodePurpose.REGISTER, "flow": flow}
        proofs.append(check_code(**where, code=derive_code(row, None), now=now))

    def create(proof):
        try:
            register_account(
                proof=proof,
                address=ADDRESS,
                password=PASSWORD,
                password_hash=make_password(PASSWORD),
                country="DE",
                language="en",
                now=now,
            )
        except Refused as refused:
            return refused.code
        return "created"

    assert sorted(at_once(create, proofs)) == ["created", "wrong"]
    assert User.objects.count() == 1

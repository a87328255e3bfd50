"""The first changes of a program that sends tokens, many at once: it has one row."""

import pytest
from django.core.cache import cache
from django.db import IntegrityError
from django.utils import timezone

from accounts.enums import UserKind
from accounts.models import User
from integration.models import ApiKey
from integration.services import tokens
from tests.integration.api_issuer import listening
from tests.integration.test_repeated_calls_race import THREADS, call_at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ACCOUNT = {"external_id": "/a/b", "address": "ada@example.org", "country": "DE"}


@pytest.fixture
def caller(settings):
    cache.clear()
    with listening(settings) as issuer:
        caller = issuer.caller(scope="provider:partners:read provider:accounts:write")
        # So that the keys of the issuer are known.
        assert caller.get("/provider/partners").status_code == 200
        yield caller


def test_first_changes_at_once_store_one_program(caller):
    found = call_at_once(lambda: caller.post("/provider/accounts", ACCOUNT), calls=THREADS)

    # One of them adds the account.
    assert sorted(answer.status_code for answer in found) == [*[200] * (THREADS - 1), 201]
    assert ApiKey.objects.count() == 1
    assert User.objects.filter(kind=UserKind.PROVIDER_PROGRAM).count() == 1


def test_first_changes_fail_without_a_second_look(caller, settings):
    """The control: of those that store the row at once, all but one break the constraint."""

    def add():
        program = tokens.build_program("billing", now=timezone.now())
        try:
            return tokens._write_program(program, timezone.now())
        except IntegrityError as error:
            return error

    found = call_at_once(add, calls=THREADS)

    assert [type(one) for one in found].count(IntegrityError) == THREADS - 1

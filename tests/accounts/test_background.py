"""Long work of the worker: every named work gets its turn, beside the mails."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from accounts.services.background import work_in_background

pytestmark = pytest.mark.django_db

DONE: list[str] = []
LEFT = {"long": 0, "short": 0}


def long_work(*, now):
    return do_a_piece("long")


def short_work(*, now):
    return do_a_piece("short")


def do_a_piece(name):
    if not LEFT[name]:
        return 0
    LEFT[name] -= 1
    DONE.append(name)
    return 1


@pytest.fixture(autouse=True)
def _work():
    DONE.clear()
    LEFT.update(long=3, short=1)
    names = [f"{__name__}.{work.__name__}" for work in (long_work, short_work)]
    with override_settings(BACKGROUND_WORK=names):
        yield


def test_each_work_gets_a_turn():
    assert work_in_background(timezone.now()) == 2
    assert DONE == ["long", "short"]


def test_nothing_waits_when_all_is_done():
    LEFT.update(long=0, short=0)

    assert work_in_background(timezone.now()) == 0


@pytest.mark.parametrize("option", ["--once", "--drain"])
def test_worker_does_all_that_waits(option):
    call_command("worker", option, stdout=StringIO())

    assert sorted(DONE) == ["long", "long", "long", "short"]

"""Ending and what else happens at that moment, on PostgreSQL; each with its positive control."""

import pytest
from django.db import models
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import Side
from association.models import Association, EndRequest
from association.services.customers import freeze_customer, set_budget
from association.services.endings import (
    answer_end_request,
    ask_to_end,
    end_association,
    withdraw_end_request,
)
from association.services.invariants.checking import find_violations
from tests.association.test_races import at_once
from tests.factories import PartnerMemberFactory, UserFactory, make_associated
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 6
TERMS = {"amount": 10, "period": "monthly", "on_exhaustion": "freeze"}


class Story:
    """An association whose customer has asked to end it, and what people can do about it."""

    def __init__(self):
        self.association = make_associated()
        self.member = PartnerMemberFactory.create(
            partner=self.association.partner, administrator=True
        ).user
        self.owner, self.admin = self.association.account.owner, UserFactory.create(is_staff=True)

    def asked(self):
        by = {"by": self.owner, "now": timezone.now()}
        self.end_request = ask_to_end(
            association=self.association, side=Side.CUSTOMER, reason="Too dear", **by
        )
        return self

    def ask(self):
        ask_to_end(
            association=self.association,
            side=Side.PARTNER,
            reason="No more support",
            by=self.member,
            now=timezone.now(),
        )

    def ask_as_customer(self):
        self.asked()

    def agree(self):
        self._answer(agree=True)

    def decline(self):
        self._answer(agree=False)

    def _answer(self, *, agree):
        answer_end_request(
            end_request=self.end_request,
            side=Side.PARTNER,
            agree=agree,
            reason="",
            by=self.member,
            now=timezone.now(),
        )

    def withdraw(self):
        withdraw_end_request(
            end_request=self.end_request, side=Side.CUSTOMER, by=self.owner, now=timezone.now()
        )

    def end(self):
        end_association(
            association=self.association, reason="By law", by=self.admin, now=timezone.now()
        )

    def budget(self):
        set_budget(association=self.association, by=self.member, now=timezone.now(), **TERMS)

    def freeze(self):
        freeze_customer(
            association=self.association,
            scope=FreezeScope.ACCOUNT,
            reason="An invoice is open",
            by=self.member,
            now=timezone.now(),
        )


def outcome(act):
    try:
        act()
    except Refused as refused:
        return str(refused.code)
    return "done"


def raced(first, second, *, was_asked=True):
    story = Story().asked() if was_asked else Story()
    outcomes = at_once(outcome, [getattr(story, first), getattr(story, second)])
    return story, outcomes


@pytest.fixture
def unlocked(monkeypatch):
    """Make `select_for_update()` lock nothing."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("agree", "withdraw"), ("agree", "decline"), ("decline", "withdraw"), ("agree", "end")],
)
def test_of_two_answers_at_once_one_counts(first, second):
    for _ in range(ROUNDS):
        story, outcomes = raced(first, second)
        assert outcomes.count("done") == 1
        story.end_request.refresh_from_db()
        ended = Association.objects.get(pk=story.association.pk).ended_at is not None
        assert ended is (story.end_request.answer in ("agreed", "closed"))
        assert list(find_violations()) == []


def test_of_two_requests_at_once_one_is_open():
    for _ in range(ROUNDS):
        story, outcomes = raced("ask", "ask_as_customer", was_asked=False)
        assert sorted(outcomes) == ["done", "end_request_open"]
        assert EndRequest.objects.open().filter(association=story.association).count() == 1


@pytest.mark.parametrize("other", ["budget", "freeze"])
def test_nothing_is_left_in_force_beside_the_end(other):
    for _ in range(ROUNDS):
        _, outcomes = raced("agree", other)
        assert outcomes[0] == "done"
        assert outcomes[1] in ("done", "ended")
        assert list(find_violations()) == []


@pytest.mark.parametrize(
    ("first", "second"), [("agree", "withdraw"), ("agree", "budget"), ("agree", "freeze")]
)
def test_without_the_lock_both_count(unlocked, first, second):
    for _ in range(10 * ROUNDS):
        _, outcomes = raced(first, second)
        if list(find_violations()) or outcomes.count("done") == 2:
            return
    pytest.fail("The guard was removed, and nothing went wrong.")

"""Ending and what else happens at that moment, on PostgreSQL; each with its positive control."""

import threading

import pytest
from django.db import models
from django.db.models import Max
from django.utils import timezone

from accounts.enums import FreezeScope
from association.enums import Side
from association.models import Association, EndRequest
from association.services import associations, endings
from association.services.associations import associate
from association.services.authorizations import request_authorization
from association.services.customers import freeze_customer, lock_customers, set_budget
from association.services.endings import (
    answer_end_request,
    ask_to_end,
    end_association,
    withdraw_end_request,
)
from association.services.invariants.checking import find_violations
from tests.association.test_races import PATIENCE, at_once
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.journeys.walk import ready_attempt
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

    def request(self):
        request_authorization(association=self.association, by=self.member, now=timezone.now())

    def ended_at(self):
        return Association.objects.get(pk=self.association.pk).ended_at

    def last_moment(self):
        """Return the last moment at which something was set, frozen or requested."""
        rows = [
            self.association.budgets.aggregate(at=Max("set_at")),
            self.association.account.freezes.aggregate(at=Max("frozen_at")),
            self.association.authorizations.aggregate(at=Max("requested_at")),
        ]
        return max(row["at"] for row in rows if row["at"] is not None)

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
    [
        ("agree", "withdraw"),
        ("agree", "decline"),
        ("agree", "agree"),
        ("agree", "end"),
        ("decline", "withdraw"),
        ("decline", "decline"),
        ("decline", "end"),
        ("withdraw", "withdraw"),
        ("withdraw", "end"),
    ],
)
def test_of_two_answers_at_once_one_counts(first, second):
    for _ in range(ROUNDS):
        story, outcomes = raced(first, second)
        # The provider ends it also after a request was declined or withdrawn.
        assert outcomes.count("done") == 1 or (second == "end" and first != "agree")
        story.end_request.refresh_from_db()
        ended = Association.objects.get(pk=story.association.pk).ended_at is not None
        assert ended is (second == "end" or story.end_request.answer == "agreed")
        assert list(find_violations()) == []


def test_of_two_requests_at_once_one_is_open():
    for _ in range(ROUNDS):
        story, outcomes = raced("ask", "ask_as_customer", was_asked=False)
        assert sorted(outcomes) == ["done", "end_request_open"]
        assert EndRequest.objects.open().filter(association=story.association).count() == 1


@pytest.mark.parametrize("other", ["budget", "freeze", "request"])
@pytest.mark.parametrize("ending", ["agree", "end"])
def test_nothing_is_left_in_force_beside_the_end(ending, other):
    for _ in range(ROUNDS):
        story, outcomes = raced(ending, other)
        assert outcomes[0] == "done"
        assert story.last_moment() <= story.ended_at()
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


def ended_after_it_read_its_clock(other, monkeypatch):
    """Let the end read its clock, and lock when the other action has been committed."""
    story, has_read, is_done = Story().asked(), threading.Event(), threading.Event()

    def lock_late(rows):
        has_read.set()
        assert is_done.wait(PATIENCE)
        return lock_customers(rows)

    def act(name):
        if name == "agree":
            return story.agree()
        assert has_read.wait(PATIENCE)
        getattr(story, other)()
        return is_done.set()

    with monkeypatch.context() as patched:
        patched.setattr(endings, "lock_customers", lock_late)
        at_once(act, ["agree", other])
    return story


@pytest.mark.parametrize("other", ["budget", "freeze", "request"])
def test_end_is_dated_after_what_it_waited_for(other, monkeypatch):
    story = ended_after_it_read_its_clock(other, monkeypatch)
    assert story.last_moment() == story.ended_at()
    assert list(find_violations()) == []


@pytest.mark.parametrize("other", ["budget", "freeze", "request"])
def test_without_the_later_moment_it_is_dated_before(other, monkeypatch):
    """The positive control: the end's clock was read first."""
    monkeypatch.setattr(endings, "moment_after", lambda rows, now: now)
    story = ended_after_it_read_its_clock(other, monkeypatch)
    assert story.last_moment() > story.ended_at()


def second_attempt_of(story):
    """Return an attempt of the customer's account with another partner."""
    return ready_attempt(
        account=story.association.account,
        invitation=InvitationFactory.create(email=True, recipient=story.owner.email),
    )


def join(attempt):
    associate(attempt=attempt, by=attempt.account.owner, address=None)


def test_account_that_ends_and_joins_at_once_never_has_two_partners():
    joined = 0
    for _ in range(ROUNDS):
        story = Story()
        attempt = second_attempt_of(story)
        outcomes = at_once(outcome, [story.end, lambda attempt=attempt: join(attempt)])
        assert outcomes[0] == "done"
        assert outcomes[1] in ("done", "not_admitted")
        if outcomes[1] == "not_admitted":
            # The attempt is still open, and can be finished now.
            join(attempt)
        joined += 1
        second = Association.objects.in_force().get(account=story.association.account)
        assert second.attempt == attempt
        assert second.associated_at >= story.ended_at()
        assert list(find_violations()) == []
    assert Association.objects.in_force().count() == joined == ROUNDS


def test_without_the_lock_the_account_joins_before_it_has_ended(unlocked, monkeypatch):
    """The positive control: the clock is read before the end, and the facts after it."""
    story, has_read, has_ended = Story(), threading.Event(), threading.Event()
    attempt, decide = second_attempt_of(story), associations._decide

    def decide_after_the_end(*arguments):
        has_read.set()
        assert has_ended.wait(PATIENCE)
        return decide(*arguments)

    monkeypatch.setattr(associations, "_decide", decide_after_the_end)

    def end():
        assert has_read.wait(PATIENCE)
        story.end()
        has_ended.set()

    at_once(lambda act: act(), [end, lambda: join(attempt)])
    second = Association.objects.in_force().get(account=story.association.account)
    assert second.associated_at < story.ended_at()

"""Answers and requests at the same moment on PostgreSQL; each race with its positive control."""

import threading
from collections import Counter

import pytest
from django.db import IntegrityError, connection, models
from django.utils import timezone

from association.models import Authorization, BudgetRequest, Consent, DocumentKind
from association.services import authorizations, budget_requests
from association.services.authorizations import (
    decline_authorization,
    grant_authorization,
    request_authorization,
)
from association.services.budget_requests import ask_partner
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.association.test_races import PATIENCE, at_once
from tests.factories import PartnerMemberFactory, make_associated
from tests.journeys.walk import document
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
PEOPLE = 8


@pytest.fixture
def unlocked(monkeypatch):
    """Make `select_for_update()` lock nothing."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )


@pytest.fixture
def together(monkeypatch):
    """Let the two who come to one of these functions of a module wait for each other there."""

    def wait_at(module, *names):
        gate = threading.Barrier(2)

        def after_waiting(act):
            def wait_and_act(*arguments, **options):
                gate.wait(timeout=PATIENCE)
                return act(*arguments, **options)

            return wait_and_act

        for name in names:
            monkeypatch.setattr(module, name, after_waiting(getattr(module, name)))

    return wait_at


@pytest.fixture
def requested():
    association = make_associated()
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    return request_authorization(association=association, by=member.user, now=timezone.now())


def answer(authorization):
    """Return what answers the request, once with yes and once with no, and how it went."""
    owner, version = authorization.association.account.owner, document(LETTER).version

    def act(agrees):
        try:
            if agrees:
                grant_authorization(
                    association=authorization.association,
                    shown_request=authorization,
                    shown_letter=version,
                    label="I agree",
                    language="en",
                    address=None,
                    by=owner,
                    now=timezone.now(),
                )
                return "granted"
            decline_authorization(
                authorization=authorization, reason="No", by=owner, now=timezone.now()
            )
        except Refused as refused:
            return str(refused)
        except IntegrityError:
            return "stopped by a constraint"
        return "declined"

    return act


@pytest.mark.parametrize("run", range(3))
def test_agreeing_and_declining_at_once_have_one_outcome(requested, run):
    results = Counter(at_once(answer(requested), [True, False] * (PEOPLE // 2)))
    outcome = Authorization.objects.get()
    assert outcome.state in {"granted", "declined"}
    assert results == {outcome.state: PEOPLE // 2, f"already_{outcome.state}": PEOPLE // 2}
    decided = AuditEvent.objects.filter(
        action__in=["authorization.granted", "authorization.declined"]
    )
    assert [event.action for event in decided] == [f"authorization.{outcome.state}"]
    assert OutboxMessage.objects.filter(kind="association.authorization_decided").count() == 1
    consents = Consent.objects.filter(document__kind=LETTER)
    assert consents.count() == int(outcome.state == "granted")


def test_both_answers_are_taken_without_the_lock(requested, unlocked, together):
    """The control: both have read the open request; only the table's check stops the later one."""
    together(authorizations, "current_documents", "_write_end")
    results = at_once(answer(requested), [True, False])
    assert results.count("stopped by a constraint") == 1
    assert Authorization.objects.get().state in results


@pytest.mark.parametrize("run", range(3))
def test_members_who_ask_at_once_make_one_request(run):
    association = make_associated()
    members = [
        PartnerMemberFactory.create(partner=association.partner, administrator=True).user
        for _ in range(PEOPLE)
    ]

    def ask(user):
        return request_authorization(association=association, by=user, now=timezone.now()).pk

    assert len(set(at_once(ask, members))) == 1
    assert Authorization.objects.count() == 1
    assert AuditEvent.objects.filter(action="authorization.requested").count() == 1
    assert OutboxMessage.objects.filter(kind="association.authorization_requested").count() == 1


def test_budget_is_asked_for_once_however_often_it_is_clicked_at_once():
    association = make_associated()
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    now, owner = timezone.now(), association.account.owner

    def ask(_number):
        return ask_partner(association=association, by=owner, now=now).pk

    assert len(set(at_once(ask, range(PEOPLE)))) == 1
    assert BudgetRequest.objects.count() == 1
    assert AuditEvent.objects.filter(action="budget_request.made").count() == 1
    assert OutboxMessage.objects.filter(kind="association.budget_requested").count() == 1


def test_budget_is_asked_for_twice_without_lock_and_constraint(unlocked, together):
    """The control: both have found that it may be asked for."""
    guard = BudgetRequest._meta.constraints[0]
    with connection.schema_editor() as editor:
        editor.remove_constraint(BudgetRequest, guard)
    association = make_associated()
    now, owner = timezone.now(), association.account.owner
    together(budget_requests, "record_audit_event")
    try:
        at_once(lambda _: ask_partner(association=association, by=owner, now=now), range(2))
        assert BudgetRequest.objects.count() == 2
    finally:
        BudgetRequest.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(BudgetRequest, guard)

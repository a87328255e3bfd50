"""Two members act on one customer at once, on PostgreSQL: one budget, never free without one."""

import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, models
from django.utils import timezone

from accounts.models import Freeze
from association.models import Association, Budget, BudgetPeriod, OnExhaustion
from association.services.customers import freeze_customer, set_budget
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.association.test_races import PATIENCE, at_once
from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 10


@pytest.fixture
def members():
    first = PartnerMemberFactory.create(administrator=True)
    return [first, PartnerMemberFactory.create(partner=first.partner, administrator=True)]


@pytest.fixture
def customers(members):
    invitation = InvitationFactory.create(partner=members[0].partner)
    return [make_associated(invitation=invitation) for _ in range(ROUNDS)]


def set_by(association):
    def act(member):
        try:
            set_budget(
                association=association,
                amount=Decimal(member.user_id),
                period=BudgetPeriod.MONTHLY,
                on_exhaustion=OnExhaustion.FREEZE,
                unfreeze=True,
                by=member.user,
                now=timezone.now(),
            )
        except IntegrityError:
            return "two budgets"
        return "set"

    return act


def current_budgets(association):
    return association.budgets.filter(replaced_at__isnull=True).count()


def test_two_members_set_one_budget_after_the_other(members, customers):
    for customer in customers:
        assert at_once(set_by(customer), members) == ["set", "set"]

        assert (customer.budgets.count(), current_budgets(customer)) == (2, 1)
    assert AuditEvent.objects.filter(action="budget.set").count() == 2 * ROUNDS
    assert AuditEvent.objects.filter(action="freeze.closed").count() == ROUNDS
    assert OutboxMessage.objects.filter(kind="association.unfrozen").count() == ROUNDS


def test_without_the_lock_two_members_collide(members, customers, monkeypatch):
    """The positive control: the accounts' locks are what lets both succeed."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )

    outcomes = {tuple(at_once(set_by(customer), members)) for customer in customers}

    assert any("two budgets" in pair for pair in outcomes)
    # What the lock does not keep, the constraint does.
    assert {current_budgets(customer) for customer in customers} == {1}


def test_no_customer_is_ever_free_without_a_budget(members, customers):
    seen, is_over = set(), threading.Event()

    def watch():
        try:
            while not is_over.is_set():
                seen.update(
                    Association.objects.annotate(
                        has_budget=models.Exists(
                            Budget.objects.current().filter(association=models.OuterRef("pk"))
                        ),
                        is_frozen=models.Exists(
                            Freeze.objects.open().filter(account=models.OuterRef("account"))
                        ),
                    ).values_list("has_budget", "is_frozen")
                )
        finally:
            connection.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    for customer in customers:
        set_by(customer)(members[0])
    is_over.set()
    watcher.join(PATIENCE)

    assert seen <= {(False, True), (True, False)}
    assert seen != set()


def test_freezing_at_once_opens_one_freeze_and_sends_one_e_mail(members, customers):
    def act(member):
        freeze_customer(
            association=customers[0], scope="account", reason="Late",
            by=member.user, now=timezone.now(),
        )  # fmt: skip

    at_once(act, members)

    assert Freeze.objects.open().filter(cause="partner").count() == 1
    assert AuditEvent.objects.filter(action="freeze.opened").count() == ROUNDS + 1
    assert OutboxMessage.objects.filter(kind="association.frozen").count() == 1

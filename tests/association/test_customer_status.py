"""The status stored with each customer is the one that its page computes, after each action."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.services.freezes import freeze_account, unfreeze_account
from association.enums import CustomerStatus
from association.models import Association, Attempt
from association.services.attempts import restart_attempt
from association.services.customer_lists import customer_states
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from association.services.invariants.checking import find_violations
from association.services.invariants.derived_facts import status_is_derived
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from association.services.spending_records import record_spending
from partners.enums import BudgetPeriod, OnExhaustion
from tests.factories import (
    InvitationFactory,
    UserFactory,
    end_by_provider,
    make_associated,
    make_attempt,
)

pytestmark = pytest.mark.django_db

WAITING, FROZEN, FREE, ENDED = CustomerStatus


def joined(**traits):
    invitation = InvitationFactory.create(**traits)
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


def budget(association, *, unfreeze=False):
    set_budget(
        association=association,
        amount=Decimal(10),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        unfreeze=unfreeze,
        by=None,
        now=timezone.now(),
    )


def budget_and_unfreeze(association):
    budget(association, unfreeze=True)


def unfreeze_later(association):
    budget(association)
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())


def frozen_again(association):
    budget_and_unfreeze(association)
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT,
        reason="Late",
        by=None,
        now=timezone.now(),
    )


def spend_it_all(association):
    budget_and_unfreeze(association)
    now = timezone.now()
    fields = {
        "source": "billing",
        "external_id": "1",
        "account": association.account.owner.account_name,
        "amount": "10.00",
        "occurred_at": (now + timedelta(seconds=1)).isoformat(),
    }
    report = record_spending(lines=[fields], now=now)
    assert report.errors == []


def frozen_by_provider(association):
    freeze_for_provider(
        account=association.account,
        scope=FreezeScope.ACCOUNT,
        reason="Fraud",
        by=UserFactory.create(is_staff=True),
        now=timezone.now(),
    )


def unfrozen_by_provider(association):
    frozen_by_provider(association)
    unfreeze_for_provider(
        account=association.account,
        reason="Cleared",
        by=UserFactory.create(is_staff=True),
        now=timezone.now(),
    )


def frozen_for_the_budget(association):
    freeze_account(
        account=association.account,
        cause=FreezeCause.BUDGET_EXHAUSTED,
        by=None,
        now=timezone.now(),
    )


def unfrozen_of_the_budget(association):
    frozen_for_the_budget(association)
    unfreeze_account(
        account=association.account,
        causes=[FreezeCause.BUDGET_EXHAUSTED],
        by=None,
        now=timezone.now(),
    )


def ended(association):
    frozen_for_the_budget(association)
    end_by_provider(association)


def untouched(association):
    """Leave it as it joined."""


@pytest.mark.parametrize(
    ("traits", "change", "status", "by_joining", "by_budget"),
    [
        ({}, untouched, WAITING, True, False),
        ({}, budget, FROZEN, True, False),
        ({}, budget_and_unfreeze, FREE, False, False),
        ({}, unfreeze_later, FREE, False, False),
        ({}, frozen_again, FROZEN, False, False),
        ({}, spend_it_all, FROZEN, False, True),
        ({}, frozen_for_the_budget, WAITING, True, True),
        ({}, unfrozen_of_the_budget, WAITING, True, False),
        ({}, frozen_by_provider, WAITING, True, False),
        ({}, ended, ENDED, False, False),
        ({"referral": True}, untouched, FREE, False, False),
        ({"referral": True}, frozen_by_provider, FROZEN, False, False),
        ({"referral": True}, unfrozen_by_provider, FREE, False, False),
        ({"referral": True}, end_by_provider, ENDED, False, False),
    ],
)
def test_each_change_is_stored(traits, change, status, by_joining, by_budget):
    association = joined(**traits)
    change(association)

    stored = Association.objects.select_related("account__owner", "partner").get()
    assert (stored.status, stored.is_frozen_by_joining, stored.is_out_of_budget) == (
        status,
        by_joining,
        by_budget,
    )
    [shown] = customer_states([stored], now=timezone.now())
    assert shown.status == status
    assert list(status_is_derived()) == []


def test_account_that_the_provider_has_frozen_joins_frozen():
    first = joined(referral=True)
    frozen_by_provider(first)
    end_by_provider(first)
    invitation = InvitationFactory.create(referral=True, email=True, is_bound=False)
    account = first.account
    account.refresh_from_db()
    second = make_associated(invitation=invitation, account=account)
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.status, second.status) == (ENDED, FROZEN)
    assert list(status_is_derived()) == []


def test_freezing_changes_the_status_of_its_own_account_only():
    frozen, other = joined(referral=True), joined(referral=True)
    frozen_by_provider(frozen)
    other.refresh_from_db()
    assert other.status == FREE


@pytest.mark.parametrize("traits", [{}, {"referral": True}, {"email": True}])
def test_attempts_repeat_channel_and_type_of_the_invitation(traits):
    invitation = InvitationFactory.create(**traits)
    attempt = make_attempt(invitation=invitation)
    again = restart_attempt(attempt=attempt, browser_secret="b" * 32, now=timezone.now())
    kept = Attempt.objects.filter(pk__in=[attempt.pk, again.pk])
    assert set(kept.values_list("partner", "invited_by", "channel", "association_type")) == {
        (
            invitation.partner_id,
            invitation.created_by_id,
            invitation.channel,
            invitation.association_type,
        )
    }
    assert kept.count() == 2


@pytest.mark.parametrize(
    ("model", "wrong", "invariant"),
    [
        (Attempt, {"channel": "email"}, "I14"),
        (Attempt, {"channel": ""}, "I14"),
        (Attempt, {"association_type": "referral"}, "I14"),
        (Attempt, {"associated_at": None}, "I14"),
        (Attempt, {"associated_at": timezone.now()}, "I14"),
        (Association, {"status": "free"}, "I15"),
        (Association, {"status": ""}, "I15"),
        (Association, {"is_frozen_by_joining": False}, "I15"),
        (Association, {"is_out_of_budget": True}, "I15"),
    ],
)
def test_a_wrong_copy_is_found(model, wrong, invariant):
    joined()
    assert list(find_violations()) == []
    model.objects.update(**wrong)
    [violation] = find_violations()
    assert (violation.invariant, violation.object) == (
        invariant,
        f"{model._meta.label_lower}:{model.objects.get().pk}",
    )

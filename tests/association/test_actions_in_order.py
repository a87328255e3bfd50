"""Actions that read the clock before they waited for a lock: none is dated before another."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from association.models import BudgetPeriod, OnExhaustion
from association.services.customers import (
    MOST_FREEZES_A_DAY,
    freeze_customer,
    set_budget,
    unfreeze_customer,
)
from audit.models import AuditEvent
from tests.factories import make_associated
from web.refused import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return make_associated(now=timezone.now() - timedelta(hours=1))


def budget(customer, now):
    return set_budget(
        association=customer,
        amount=Decimal("10.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=None,
        now=now,
    )


def freeze(customer, now):
    return freeze_customer(
        association=customer, scope=FreezeScope.ACCOUNT, reason="Late", by=None, now=now
    )


def unfreeze(customer, now):
    return unfreeze_customer(association=customer, reason="Paid", by=None, now=now)


def test_unfreeze_that_waited_for_a_freeze_comes_after_it(customer):
    read, later = timezone.now(), timezone.now() + timedelta(seconds=1)
    budget(customer, read)
    frozen = freeze(customer, later)

    lifted = unfreeze(customer, read)

    assert frozen in lifted
    assert {row.unfrozen_at for row in lifted} == {later}
    moments = AuditEvent.objects.order_by("pk").values_list("occurred_at", flat=True)
    assert list(moments) == sorted(moments)


def test_freeze_that_waited_for_an_unfreeze_comes_after_it(customer):
    read, later = timezone.now(), timezone.now() + timedelta(seconds=1)
    budget(customer, read)
    unfreeze(customer, later)

    assert freeze(customer, read).frozen_at == later


def test_budget_that_waited_for_another_replaces_it_no_earlier_than_it_was_set(customer):
    read, later = timezone.now(), timezone.now() + timedelta(seconds=1)
    first = budget(customer, later)

    second = budget(customer, read)

    first.refresh_from_db()
    assert (first.replaced_at, second.set_at) == (later, later)


def test_customer_is_frozen_and_e_mailed_only_so_often(customer):
    now = timezone.now()
    budget(customer, now)
    for _ in range(MOST_FREEZES_A_DAY):
        freeze(customer, now)
        unfreeze(customer, now)

    with pytest.raises(Refused, match="frozen_too_often"):
        freeze(customer, now)
    freeze(customer, now + timedelta(days=1, seconds=1))

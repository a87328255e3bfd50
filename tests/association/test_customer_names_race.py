"""Names that change at once, on PostgreSQL: the copies follow both; with a control."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import CustomerAccount
from accounts.services.account_names import rename_account
from association.models import Association
from association.services.customer_names import (
    refresh_names,
    refresh_names_of,
    rename_customer,
)
from association.services.invariants.names import names_are_derived
from tests.factories import PartnerMemberFactory, make_associated
from tests.lock_waits import wait_until_someone_waits

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def by_owner(association):
    owner = association.account.owner
    rename_account(user=owner, account_name="north-wind", by=owner, now=timezone.now())


def by_partner(association):
    member = PartnerMemberFactory.create(partner=association.partner).user
    names = {"customer_name": "", "reference": "K-1", "note": ""}
    rename_customer(association=association, by=member, now=timezone.now(), **names)


def by_one_statement(association):
    """Lock and read at once, as it must not be done."""
    rows = Association.objects.filter(pk=association.pk)
    with transaction.atomic():
        refresh_names(rows.select_related("account__owner").select_for_update(of=("self",)))


def after_waiting(second, association):
    """Name the account; meanwhile another connection does the second change, which waits."""

    def run():
        try:
            second(association)
        finally:
            connection.close()

    with ThreadPoolExecutor() as threads:
        with transaction.atomic():
            CustomerAccount.objects.filter(pk=association.account_id).update(name="Nordwind GmbH")
            refresh_names_of(association.account.owner)
            waiting = threads.submit(run)
            wait_until_someone_waits()
        waiting.result(timeout=10)
    association.refresh_from_db()
    return association.shown_name


@pytest.mark.parametrize("second", [by_owner, by_partner])
def test_a_change_that_waited_copies_what_the_first_has_written(second):
    assert after_waiting(second, make_associated()) == "Nordwind GmbH"
    assert list(names_are_derived()) == []


def test_control_one_statement_copies_the_former_name():
    association = make_associated()
    former = association.shown_name
    assert after_waiting(by_one_statement, association) == former
    assert [violation.invariant for violation in names_are_derived()] == ["I13"]

"""Indexes for parts of words: made where PostgreSQL has the extension, and used by the lists."""

import pytest
from django.db import connection
from django.db.models import Q

from accounts.models import CustomerAccount
from association.models import Association
from partners.models import Invitation
from partners.services.invitation_search import searched
from tests.factories import PartnerMemberFactory

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]


@pytest.fixture
def member():
    return PartnerMemberFactory.create(administrator=True)


def plan_of(rows):
    """Return the plan that PostgreSQL makes when it may not read all rows of a table."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
    return rows.order_by().explain()


def test_customers_are_found_by_the_index():
    found = Q(search_names__contains="wind") | Q(search_address__contains="wind")
    assert "customer_by_part_of_name" in plan_of(Association.objects.filter(found))


def test_invitations_are_found_by_the_index(member):
    found = searched("wind", member)
    assert "invitation_by_part_of_text" in plan_of(Invitation.objects.filter(found))


@pytest.mark.parametrize("column", ["name", "external_id"])
def test_accounts_are_found_by_the_index(column):
    with connection.cursor() as cursor:
        # PostgreSQL would rather read it in a table without rows.
        cursor.execute("DROP INDEX external_id_names_one_customer_account")
    found = CustomerAccount.objects.filter(**{f"{column}__icontains": "wind"})
    assert "account_by_part_of_name_or_id" in plan_of(found)

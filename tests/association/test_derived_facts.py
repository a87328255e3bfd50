"""The command that repairs what servers of an earlier version did not write."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from association.models import Association, Attempt
from association.services.invariants.checking import find_violations
from tests.factories import InvitationFactory, end_by_provider, make_associated

pytestmark = pytest.mark.django_db


@pytest.fixture
def customers(monkeypatch):
    monkeypatch.setattr("association.services.derived_facts.ROWS_AT_ONCE", 2)
    referral = InvitationFactory.create(referral=True)
    rows = [make_associated(), make_associated(invitation=referral), make_associated()]
    end_by_provider(rows[2])
    return rows


def forget():
    """Leave the rows as a server would that does not know these columns."""
    Association.objects.update(status="", is_frozen_by_joining=False, shown_name="", sort_name="")
    Attempt.objects.update(channel="", association_type="")


def refresh():
    output = StringIO()
    call_command("refresh_lists", stdout=output)
    return output.getvalue()


def test_what_an_earlier_server_wrote_is_repaired(customers):
    before = list(Association.objects.order_by("pk").values())
    forget()
    assert {row.invariant for row in find_violations()} >= {"I13", "I14", "I15"}

    assert refresh() == "Looked at 6 rows.\n"

    assert list(Association.objects.order_by("pk").values()) == before
    assert list(find_violations()) == []


def test_nothing_changes_where_nothing_differs(customers):
    with CaptureQueriesContext(connection) as captured:
        assert refresh() == "Looked at 3 rows.\n"
    assert [query for query in captured if query["sql"].startswith("UPDATE")] == []


def test_without_customers_there_is_nothing_to_do():
    assert refresh() == "Looked at 0 rows.\n"

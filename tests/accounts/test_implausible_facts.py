"""Facts that cannot be true are refused, by their fields: in files, over HTTP and in the admin."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError

from accounts.models import Bill, Spending
from accounts.services.facts_import import import_facts
from association.services.spending_records import record_spending
from tests.factories import CustomerAccountFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
YESTERDAY, SOON, LATER = "2026-01-30T09:00:00Z", "2026-01-31T09:05:00Z", "2026-01-31T09:05:01Z"
# 50 years of 365 days ahead.
LAST, BEYOND = "2076-01-19T09:00:00Z", "2076-01-19T09:00:01Z"
FIRST, BEFORE = "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"
FIELDS = {
    "contract": {"contract_type": "offline_direct"},
    "bill": {"amount": "5.00", "paid_amount": "0.00", "issued_at": YESTERDAY},
    "cash_expenditure": {"amount": "5.00", "occurred_at": YESTERDAY},
    "reserved_instance": {"expires_at": YESTERDAY},
    "coupon": {"balance": "5.00"},
    "spending": {"amount": "5.00", "occurred_at": YESTERDAY},
}


@pytest.fixture(autouse=True)
def _clock():
    with time_machine.travel(NOW, tick=False):
        yield


def faults(kind, **changes):
    """Return the faults of one line that says this about an account."""
    name = CustomerAccountFactory().owner.account_name
    line = {"source": "x", "external_id": "1", "account": name, **FIELDS[kind], **changes}
    if kind == "spending":
        report = record_spending(lines=[line], now=NOW)
    else:
        report = import_facts(lines=[{"kind": kind, **line}], now=NOW)
    return [(one.field, one.code) for row in report.errors for one in row.faults]


@pytest.mark.parametrize(
    ("kind", "changes", "wrong"),
    [
        ("bill", {"paid_amount": "5.00"}, {}),
        ("bill", {"paid_amount": "5.01"}, {"paid_amount": "not_of_amount"}),
        ("bill", {"paid_amount": "-0.01"}, {"paid_amount": "not_of_amount"}),
        ("bill", {"amount": "-5.00", "paid_amount": "-5.00"}, {}),
        ("bill", {"amount": "-5.00", "paid_amount": "0.00"}, {}),
        ("bill", {"amount": "-5.00", "paid_amount": "-5.01"}, {"paid_amount": "not_of_amount"}),
        ("bill", {"due_at": YESTERDAY}, {}),
        ("bill", {"due_at": "2026-01-30T08:59:59Z"}, {"due_at": "before_begin"}),
        ("bill", {"issued_at": SOON}, {}),
        ("bill", {"issued_at": LATER}, {"issued_at": "in_the_future"}),
        ("bill", {"issued_at": BEFORE}, {"issued_at": "too_early"}),
        ("bill", {"due_at": LAST}, {}),
        ("bill", {"due_at": BEYOND, "paid_amount": "9.00"},
         {"paid_amount": "not_of_amount", "due_at": "too_late"}),
        ("coupon", {"balance": "0.00"}, {}),
        ("coupon", {"balance": "-0.01"}, {"balance": "below_zero"}),
        ("contract", {"effective_from": SOON, "effective_to": SOON}, {}),
        ("contract", {"effective_from": LATER, "effective_to": SOON},
         {"effective_to": "before_begin"}),
        ("contract", {"signed_at": LATER}, {"signed_at": "in_the_future"}),
        ("contract", {"signed_at": SOON, "terminated_at": YESTERDAY},
         {"terminated_at": "before_begin"}),
        ("contract", {"effective_to": "9999-12-31T23:59:59Z"}, {"effective_to": "too_late"}),
        ("contract", {"terminated_at": "0001-01-01T00:00:00Z"}, {"terminated_at": "too_early"}),
        ("contract", {"effective_from": FIRST, "effective_to": LAST}, {}),
        ("cash_expenditure", {"occurred_at": LATER}, {"occurred_at": "in_the_future"}),
        ("reserved_instance", {"expires_at": BEYOND}, {"expires_at": "too_late"}),
        ("reserved_instance", {"cancelled_at": BEFORE}, {"cancelled_at": "too_early"}),
        ("coupon", {"expires_at": BEYOND}, {"expires_at": "too_late"}),
        ("spending", {"occurred_at": BEFORE}, {"occurred_at": "too_early"}),
        ("spending", {"occurred_at": LATER}, {"occurred_at": "in_the_future"}),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_true_is_named_by_field(kind, changes, wrong):
    assert dict(faults(kind, **changes)) == wrong


def test_faults_of_fields_and_of_what_they_say_together_are_one_answer():
    assert faults("bill", amount="x", due_at=BEYOND) == [
        ("amount", "invalid"),
        ("due_at", "too_late"),
    ]


@pytest.mark.parametrize("model", [Bill, Spending])
def test_form_of_the_admin_asks_the_model(model):
    fact = model(amount="5.00", **({"issued_at": NOW} if model is Bill else {"occurred_at": NOW}))
    fact.clean()
    moment = "issued_at" if model is Bill else "occurred_at"
    setattr(fact, moment, datetime(1969, 1, 1, tzinfo=UTC))
    with pytest.raises(ValidationError) as error:
        fact.clean()
    assert list(error.value.error_dict) == [moment]

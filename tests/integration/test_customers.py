"""Customers, budgets, freezes and requests by API."""

import pytest

from accounts.models import Freeze
from association.models import Authorization, Budget, EndRequest
from tests.factories import (
    BillFactory,
    InvitationRequestFactory,
    PartnerFactory,
    make_associated,
)
from tests.integration.calls import API, Caller

pytestmark = pytest.mark.django_db
BUDGET = {
    "limit": {"amount": "1500.00", "currency": "USD"},
    "period": "monthly",
    "on_exhaustion": "freeze",
}


OPEN = [{"open": "true"}, {"open": "false"}, {}]


@pytest.fixture
def customer():
    return make_associated()


@pytest.fixture
def caller(customer):
    return Caller(customer.partner)


def test_customer_waits_frozen(caller, customer):
    shown = caller.get(f"/customers/{customer.pk}").json()

    assert shown["account"] == customer.account.owner.account_name
    assert (shown["status"], shown["budget"]) == ("waiting", None)
    assert [row["cause"] for row in shown["freezes"]] == ["association"]
    assert caller.get("/customers").json()["items"] == [shown]


def test_budget_and_unfreezing_are_one_call(caller, customer):
    path = f"/customers/{customer.pk}/budget"
    answers = [
        caller.post(path, {**BUDGET, "unfreeze": True}, Idempotency_Key="once") for _ in range(2)
    ]

    shown = answers[0].json()
    assert (answers[0].status_code, shown["status"], shown["freezes"]) == (200, "free", [])
    assert shown["budget"]["limit"] == {"amount": "1500.00", "currency": "USD"}
    assert shown["budget"]["used"] == {"amount": "0.00", "currency": "USD"}
    assert answers[1].json() == shown
    assert Budget.objects.get().set_by == caller.key.user


def test_unfreezing_needs_a_budget(caller, customer):
    answer = caller.post(f"/customers/{customer.pk}/unfreeze", {})

    assert (answer.status_code, answer.json()["code"]) == (409, "no_budget")
    assert Freeze.objects.open().exists()


def test_unfreezing_needs_no_body(caller, customer):
    path = f"{API}/customers/{customer.pk}/unfreeze"
    answer = caller.client.post(path, headers=caller.headers(), content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_budget")


def test_reason_of_a_budget_that_does_not_unfreeze_is_refused(caller, customer):
    answer = caller.post(f"/customers/{customer.pk}/budget", {**BUDGET, "reason": "Paid"})

    assert answer.status_code == 422
    assert [row["field"] for row in answer.json()["fields"]] == ["reason"]
    assert not Budget.objects.exists()


def test_freezing_by_the_partner(caller, customer):
    body = {"scope": "account_and_resources", "reason": "Unpaid invoice"}
    shown = caller.post(f"/customers/{customer.pk}/freeze", body).json()

    assert [(row["cause"], row["scope"], row["reason"]) for row in shown["freezes"]][1:] == [
        ("partner", "account_and_resources", "Unpaid invoice")
    ]


def test_renaming_changes_what_is_named_only(caller, customer):
    path = f"/customers/{customer.pk}"
    caller.patch(path, {"customer_name": "Hafenkontor", "note": "Pays late"})
    shown = caller.patch(path, {"reference": "CRM-7", "note": ""}).json()

    assert (shown["name"], shown["reference"], shown["note"]) == ("Hafenkontor", "CRM-7", "")
    assert caller.get("/customers", reference="CRM-7").json()["items"] == [shown]
    assert caller.get("/customers", reference="CRM").json()["items"] == []


def test_authorization_is_requested_once(caller, customer):
    path = f"/customers/{customer.pk}/authorization-request"
    answers = [caller.post(path).json()["authorization"] for _ in range(2)]

    assert answers == ["requested", "requested"]
    assert Authorization.objects.count() == 1


def test_end_is_asked_for_and_withdrawn(caller, customer):
    asking, body = f"/customers/{customer.pk}/end-requests", {"reason": "We part"}
    asked = caller.post(asking, body)
    again = caller.post(asking, body)
    path = f"/end-requests/{asked.json()['id']}/withdraw"

    assert (asked.status_code, asked.json()["asking_side"]) == (201, "partner")
    assert (again.status_code, again.json()["code"]) == (409, "end_request_open")
    assert caller.get("/end-requests").json()["items"] == [asked.json()]
    assert caller.post(path).json()["answer"] == "withdrawn"
    closed = caller.get(f"/end-requests/{asked.json()['id']}").json()
    assert closed["answer"] == "withdrawn"
    assert [caller.get("/end-requests", **query).json()["items"] for query in OPEN] == [
        [],
        [closed],
        [closed],
    ]


def test_own_end_request_is_not_answered(caller, customer):
    asked = caller.post(f"/customers/{customer.pk}/end-requests", {"reason": "We part"})
    answer = caller.post(f"/end-requests/{asked.json()['id']}/answer", {"agree": True})

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_side")
    assert EndRequest.objects.open().exists()


def test_invitation_request_is_answered_once():
    asked = InvitationRequestFactory()
    caller = Caller(asked.partner)
    listed = caller.get("/invitation-requests").json()["items"]
    path = f"/invitation-requests/{asked.pk}/send"
    answers = [caller.post(path).json() for _ in range(2)]

    assert [row["id"] for row in listed] == [str(asked.pk)]
    assert [answer["state"] for answer in answers] == ["answered", "answered"]
    assert answers[0]["sent_invitation_id"] == answers[1]["sent_invitation_id"]


def test_invitation_request_is_dismissed():
    asked = InvitationRequestFactory()
    caller = Caller(asked.partner)
    path = f"/invitation-requests/{asked.pk}/dismiss"

    assert caller.post(path, {}).status_code == 422
    closed = caller.post(path, {"reason": "Not ours"}).json()
    assert closed["state"] == "dismissed"
    assert caller.get(f"/invitation-requests/{asked.pk}").json() == closed
    assert [caller.get("/invitation-requests", **query).json()["items"] for query in OPEN] == [
        [],
        [closed],
        [closed],
    ]


def test_requests_of_another_partner_do_not_exist(caller, customer):
    asked = caller.post(f"/customers/{customer.pk}/end-requests", {"reason": "We part"})
    stranger = Caller(PartnerFactory())

    assert stranger.get(f"/end-requests/{asked.json()['id']}").status_code == 404
    foreign = InvitationRequestFactory()
    assert stranger.get(f"/invitation-requests/{foreign.pk}").status_code == 404


def test_what_must_be_settled_before_the_end_is_named(caller, customer):
    BillFactory(account=customer.account, amount=10, paid_amount=0)
    answer = caller.post(f"/customers/{customer.pk}/end-requests", {"reason": "We part"})

    assert (answer.status_code, answer.json()["code"]) == (409, "end_obstructed")
    assert answer.json()["obstacles"] == ["unpaid_bills"]

"""The provider's programs add, change and find accounts, and ask what they may do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import CustomerAccount, User
from audit.models import AuditEvent
from partners.models import Partner
from tests.association.test_spending import budget_of
from tests.factories import (
    BillFactory,
    CouponFactory,
    CustomerAccountFactory,
    PartnerFactory,
    SpendingFactory,
    UserFactory,
    make_associated,
)
from tests.integration.calls import API, ProviderCaller

pytestmark = pytest.mark.django_db
ACCOUNT = {"external_id": "/subscriptions/1", "address": "Ada@Example.org", "country": "DE"}


@pytest.fixture
def caller():
    return ProviderCaller()


def problem_of(answer):
    content = answer.json()
    fields = [row["field"] for row in content.get("fields", [])]
    return answer.status_code, content["code"], fields


@pytest.mark.parametrize(
    ("path", "query", "fields"),
    [
        ("eligibility", {}, ["account", "partner_id", "association_type"]),
        ("eligibility", {"account": "a", "external_id": "b", "partner_id": "1"},
         ["account", "association_type"]),
        ("permissions", {"coupon": "c-1"}, ["account", "coupon"]),
        ("permissions", {"account": "a", "coupon_source": "b"}, ["coupon"]),
        ("permissions", {"account": "a", "incurred_at": "x"}, ["incurred_at"]),
    ],
)  # fmt: skip
def test_all_wrong_parameters_are_named_at_once(caller, path, query, fields):
    status, code, named = problem_of(caller.get(f"/provider/{path}", **query))

    assert (status, code, sorted(named)) == (422, "fields_invalid", sorted(fields))


@pytest.mark.parametrize(
    ("path", "name"),
    [("/provider/associations", "ended"), ("/provider/facts", "dry_run")],
)
@pytest.mark.parametrize("value", ["no", "1", "True", ""])
def test_only_true_and_false_are_read(caller, path, name, value):
    if name == "ended":
        answer = caller.get(path, ended=value)
    else:
        answer = caller.post(f"{path}?{name}={value}")
    [found] = answer.json()["fields"]

    assert (answer.status_code, found["field"], found["message"]) == (
        422,
        name,
        "Write true or false.",
    )


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"country": "Austria"}, "country", "Write a country code of two capital letters."),
        ({"country": "XX"}, "country", "Write a country code of two capital letters."),
        ({"external_id": ""}, "external_id", "This field is required."),
        ({"external_id": " "}, "external_id", "This field is required."),
        ({"external_id": 7}, "external_id", "Write text in quotes."),
        ({"is_internal": "yes"}, "is_internal", "Write true or false."),
        ({"account_type": "x"}, "account_type", "Write one of: individual, enterprise."),
        ({"colour": "red"}, "colour", "Unknown field."),
    ],
)
def test_sentence_is_that_of_the_facts(caller, changes, field, message):
    answer = caller.post("/provider/accounts", {**ACCOUNT, **changes})

    assert [(row["field"], row["message"]) for row in answer.json()["fields"]] == [(field, message)]


def test_call_without_its_body_is_told_so(caller):
    answer = caller.client.post(
        f"{API}/provider/accounts",
        b"",
        content_type="application/json",
        headers=caller.headers(),
    )

    assert (answer.status_code, answer.json()["detail"]) == (422, "Send a body of JSON.")


def test_answer_says_which_object_is_unknown(caller):
    account = CustomerAccountFactory(external_id="/a")
    query = {"external_id": "/a", "partner_id": "999", "association_type": "reseller"}
    unknown = [
        caller.get("/provider/eligibility", **query),
        caller.get("/provider/eligibility", **{**query, "external_id": "/b"}),
        caller.get("/provider/permissions", account=account.owner.account_name + "x"),
        caller.get("/provider/associations/5"),
    ]

    assert [(row.status_code, row.json()["detail"]) for row in unknown] == [
        (404, "There is no partner with this id."),
        (404, "There is no account with this external_id."),
        (404, "There is no account with this account name."),
        (404, "There is no association with this id."),
    ]


def test_account_is_added_with_an_owner_who_has_no_password(caller):
    answer = caller.post("/provider/accounts", {**ACCOUNT, "name": "Ada Ltd", "tax_id": "DE 1"})
    account = CustomerAccount.objects.get()

    assert answer.status_code == 201
    assert answer.json() == {
        "account": account.owner.account_name,
        "external_id": "/subscriptions/1",
        "address": "ada@example.org",
        "name": "Ada Ltd",
        "account_type": "individual",
        "registration_site": "international",
        "country": "DE",
        "tax_id": "DE 1",
        "registered_at": answer.json()["registered_at"],
        "services_enabled_at": None,
        "is_internal": False,
    }
    assert not account.owner.has_usable_password()
    event = AuditEvent.objects.get(action="account.added")
    assert (event.actor_id, event.after["external_id"]) == (caller.key.user.pk, "/subscriptions/1")


def test_the_same_key_changes_the_account_and_leaves_the_rest(caller):
    caller.post("/provider/accounts", {**ACCOUNT, "name": "Ada Ltd"})
    again = {**ACCOUNT, "address": "other@example.org", "country": "FR", "is_internal": True}
    answer = caller.post("/provider/accounts", again)
    account = CustomerAccount.objects.get()

    assert answer.status_code == 200
    assert (answer.json()["address"], account.name) == ("ada@example.org", "Ada Ltd")
    assert (account.country, account.is_internal) == ("FR", True)
    event = AuditEvent.objects.get(action="account.changed")
    assert event.before == {"country": "DE", "is_internal": False}
    caller.post("/provider/accounts", again)
    assert AuditEvent.objects.filter(action="account.changed").count() == 1


def test_known_address_is_not_linked_by_itself(caller):
    owner = UserFactory(email="ada@example.org")
    answer = caller.post("/provider/accounts", ACCOUNT)
    assert problem_of(answer) == (409, "address_taken", [])

    account = CustomerAccountFactory(owner=owner)
    path = f"/provider/accounts/{owner.account_name}"
    answer = caller.patch(path, {"external_id": "/subscriptions/1"})
    assert (answer.status_code, answer.json()["external_id"]) == (200, "/subscriptions/1")
    account.refresh_from_db()
    assert account.external_id == "/subscriptions/1"
    assert User.objects.filter(customer_account=account).get() == owner


def test_key_of_another_account_is_refused(caller):
    CustomerAccountFactory(external_id="a")
    other = CustomerAccountFactory(external_id="b")
    path = f"/provider/accounts/{other.owner.account_name}"
    assert problem_of(caller.patch(path, {"external_id": "a"})) == (409, "external_id_taken", [])
    assert caller.patch(path, {"external_id": None}).json()["external_id"] is None


def test_services_of_a_customer_stay_enabled(caller):
    customer = make_associated()
    path = f"/provider/accounts/{customer.account.owner.account_name}"
    answer = caller.patch(path, {"services_enabled_at": None})
    assert problem_of(answer) == (409, "services_in_use", [])


def test_new_name_is_the_customers_name_in_lists(caller):
    customer = make_associated()
    caller.patch(f"/provider/accounts/{customer.account.owner.account_name}", {"name": "Ada Ltd"})
    customer.refresh_from_db()
    assert customer.shown_name == "Ada Ltd"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 101}, "external_id"),
        ({"external_id": None}, "external_id"),
        ({"external_id": "a\0b"}, "external_id"),
        ({"external_id": "a\u3164b"}, "external_id"),
        ({"external_id": "a\u00adb"}, "external_id"),
        ({"services_enabled_at": "2999-01-01T00:00:00Z"}, "services_enabled_at"),
        ({"address": "ada"}, "address"),
        ({"country": "XX"}, "country"),
        ({"country": ""}, "country"),
        ({"registered_at": "9999-12-31T00:00:00Z"}, "registered_at"),
        ({"registered_at": "2026-01-01"}, "registered_at"),
        ({"registered_at": "1969-12-31T23:59:59Z"}, "registered_at"),
        ({"services_enabled_at": "0001-01-01T00:00:00+14:00"}, "services_enabled_at"),
        ({"account_type": "club"}, "account_type"),
        ({"is_internal": "yes"}, "is_internal"),
        ({"tax_id": "x" * 41}, "tax_id"),
        ({"colour": "red"}, "colour"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_field_is_named(caller, changes, field):
    answer = caller.post("/provider/accounts", {**ACCOUNT, **changes})
    assert problem_of(answer) == (422, "fields_invalid", [field])
    assert CustomerAccount.objects.count() == 0


def test_accounts_are_found_by_key_name_and_address(caller):
    account = CustomerAccountFactory(external_id="/a/b", owner__email="ada@example.org")
    CustomerAccountFactory(external_id="/A/b")
    for query in (
        {"external_id": "/a/b"},
        {"account": account.owner.account_name.upper()},
        {"address": "Ada@Example.org"},
    ):
        [found] = caller.get("/provider/accounts", **query).json()["items"]
        assert found["account"] == account.owner.account_name
    assert len(caller.get("/provider/accounts").json()["items"]) == 2
    path = f"/provider/accounts/{account.owner.account_name}"
    assert caller.get(path).json()["external_id"] == "/a/b"


def test_eligibility_of_any_account_has_facts_and_every_rule(caller):
    account = CustomerAccountFactory(external_id="/a/b", enabled=True)
    BillFactory(account=account)
    partner = PartnerFactory(status="frozen", frozen_at=timezone.now(), allows_referral=False)
    query = {"partner_id": str(partner.pk), "association_type": "referral"}
    found = caller.get("/provider/eligibility", external_id="/a/b", **query).json()

    assert (found["is_eligible"], found["is_customer"]) == (False, False)
    assert found["refusals"] == ["type_not_allowed", "partner_unavailable", "unpaid_bills"]
    rules = {row["code"]: row["evidence"] for row in found["rules"] if not row["is_met"]}
    assert rules == {"unpaid_bills": {"count": 1, "outstanding": "100.00"}}
    assert len(found["rules"]) == 9
    assert found["facts"]["bills"] == [{"amount": "100.00", "paid_amount": "0.00"}]


def test_account_of_a_deactivated_owner_may_not_join_and_does_nothing(caller):
    CustomerAccountFactory(external_id="/a/b", enabled=True, owner__is_active=False)
    query = {"partner_id": PartnerFactory().pk, "association_type": "reseller"}
    found = caller.get("/provider/eligibility", external_id="/a/b", **query).json()
    assert (found["is_eligible"], found["refusals"]) == (False, ["owner_deactivated"])
    actions = caller.get("/provider/permissions", external_id="/a/b").json()["actions"]
    assert [row["action"] for row in actions if row["customer"]["allowed"]] == ["run_resources"]


def test_eligibility_of_a_customer_says_so(caller):
    customer = make_associated()
    found = caller.get(
        "/provider/eligibility",
        account=customer.account.owner.account_name,
        partner_id=str(customer.partner_id),
        association_type="reseller",
    ).json()
    assert (found["is_customer"], found["is_eligible"], found["refusals"]) == (True, False, [])


def test_permissions_of_an_account(caller):
    customer = make_associated(letter=True)
    CustomerAccount.objects.update(external_id="/a/b")
    budget_of(customer)
    SpendingFactory(account=customer.account, amount="12.50")
    coupon = CouponFactory(account=customer.account)
    before = (customer.associated_at - timedelta(days=1)).isoformat()
    found = caller.get(
        "/provider/permissions",
        external_id="/a/b",
        coupon_source=coupon.source,
        coupon=coupon.external_id,
        incurred_at=before,
    ).json()
    actions = {row["action"]: row for row in found["actions"]}

    assert actions["buy"] == {
        "action": "buy",
        "customer": {"allowed": False, "reasons": ["frozen_association"]},
        "partner": {"allowed": False, "reasons": ["frozen_association"]},
    }
    assert actions["run_resources"]["partner"] == {"allowed": True, "reasons": []}
    assert (found["partner_id"], found["freezes"]) == (str(customer.partner_id), ["association"])
    assert found["budget"] == {
        "limit": {"amount": "100.00", "currency": "USD"},
        "used": {"amount": "12.50", "currency": "USD"},
    }
    assert found["coupon"] == {"allowed": True, "reasons": []}


@pytest.mark.parametrize("key", ["a  b", "a b ", "a\u200b b", "a\u00a0b", "e\u0301"])
def test_key_that_cleaning_would_change_names_no_other_account(caller, key):
    account = CustomerAccountFactory(external_id="a b", country="DE")
    put = caller.post("/provider/accounts", ACCOUNT | {"external_id": key, "country": "FR"})
    changed = caller.patch(
        f"/provider/accounts/{account.owner.account_name}", {"external_id": key, "country": "FR"}
    )
    found = [
        caller.get(f"/provider/{path}", external_id=key)
        for path in ("accounts", "permissions", "associations")
    ]
    for answer in (put, changed, *found):
        assert problem_of(answer) == (422, "fields_invalid", ["external_id"])
    account.refresh_from_db()
    assert (CustomerAccount.objects.count(), str(account.country)) == (1, "DE")


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({}, 422, "account"),
        ({"account": "c-1", "external_id": "x"}, 422, "account"),
        ({"external_id": "x"}, 404, None),
        ({"account": "c-1"}, 404, None),
        ({"account": "c-1", "coupon": "x"}, 422, "coupon"),
        ({"account": "c-1", "colour": "red"}, 422, "colour"),
    ],
    ids=str,
)
def test_permissions_of_an_unknown_account(caller, query, status, field):
    answer = caller.get("/provider/permissions", **query)
    assert (answer.status_code, [row["field"] for row in answer.json().get("fields", [])]) == (
        status,
        [field] if field else [],
    )


def test_two_partners_are_told_apart(caller):
    customer, other = make_associated(), PartnerFactory()
    query = {"account": customer.account.owner.account_name, "association_type": "reseller"}
    found = caller.get("/provider/eligibility", partner_id=str(other.pk), **query).json()
    assert found["refusals"] == ["other_partner"]
    assert Partner.objects.count() == 2

"""Batches of facts and spending over HTTP: JSON lines and CloudEvents."""

import json

import pytest
from django.utils import timezone

from accounts.models import Bill, Coupon, Spending
from audit.models import AuditEvent
from integration.enums import ProviderScope
from integration.models import IdempotentAnswer
from tests.association.test_spending import associated, budget_of
from tests.factories import CustomerAccountFactory
from tests.integration.calls import API, ProviderCaller

pytestmark = pytest.mark.django_db
LINES = "application/x-ndjson"
EVENTS = "application/cloudevents-batch+json"
MOMENT = "2026-01-31T09:00:00Z"
KEYED = {"source": "https://billing.example.com/eu", "account_external_id": "/a/b"}
BILL = {"amount": "5.00", "paid_amount": "0.00", "issued_at": MOMENT}


@pytest.fixture
def caller():
    return ProviderCaller()


@pytest.fixture(autouse=True)
def account():
    return CustomerAccountFactory(external_id="/a/b")


def send(caller, path, body, content_type=LINES, query="", **headers):
    if content_type == LINES and isinstance(body, list):
        body = b"\n".join(json.dumps(row).encode() for row in body)
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return caller.client.post(
        f"{API}{path}{query}", body, content_type=content_type, headers=caller.headers(**headers)
    )


def bill(number, **changes):
    return {"kind": "bill", "external_id": str(number), **KEYED, **BILL, **changes}


def spent(number, **changes):
    fields = {"amount": "1.50", "occurred_at": MOMENT}
    return {"external_id": str(number), **KEYED, **fields, **changes}


def event(number, kind="com.example.bill", **changes):
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": KEYED["source"],
        "type": kind,
        "time": MOMENT,
        "partitionkey": "7",
        "data": {"account_external_id": "/a/b", **BILL},
        **changes,
    }


def done(answer):
    content = answer.json()
    assert answer.status_code == 200, content
    return content["created"], content["updated"], content["unchanged"]


def problem(answer):
    content = answer.json()
    return answer.status_code, content["code"], content.get("fields", [])


def fields(answer):
    return [(row["field"], row["code"]) for row in problem(answer)[2]]


def test_lines_are_imported_all_and_audited_with_the_key(caller):
    coupon = {"kind": "coupon", "external_id": "c", **KEYED, "balance": "5.00"}
    assert done(send(caller, "/provider/facts", [bill(1), bill(2), coupon])) == (3, 0, 0)
    assert (Bill.objects.count(), Coupon.objects.count()) == (2, 1)
    actors = AuditEvent.objects.filter(action__endswith=".imported").values_list("actor")
    assert set(actors) == {(caller.key.user.pk,)}
    assert done(send(caller, "/provider/facts", [bill(1), bill(2, paid_amount="5"), bill(1)])) == (
        (0, 1, 2)
    )


def test_cloudevents_are_the_same_facts_as_lines(caller):
    send(caller, "/provider/facts", [bill(1)])
    events = [event(1), event(2, "bill"), event(2, "bill", time=None)]
    assert done(send(caller, "/provider/facts", events, f"{EVENTS}; charset=UTF-8")) == (1, 0, 2)


# Cleaned as texts are, each of them would be another key: "m 1", "é" in one letter.
INEXACT = ("m  1", " m 1", "m 1 ", "m\u200b 1", "m\n1", "e\u0301", "m\u00a01",
    "m\u00ad", "m\ufe0f", "\u034fm", "m\u2800", "m\u31641", "m\u200d1", "m\U000e00411")  # fmt: skip


@pytest.mark.parametrize("key", INEXACT)
def test_key_that_cleaning_would_change_is_refused_and_not_merged(caller, key):
    assert done(send(caller, "/provider/spending", [spent("m 1", amount="7.00")])) == (1, 0, 0)
    for name, place in (("source", "source"), ("id", "id")):
        data = {"account_external_id": "/a/b", "amount": "9.00", "occurred_at": MOMENT}
        events = [event("m 1", "spending", data=data, **{name: key})]
        answer = send(caller, "/provider/spending", events, EVENTS)
        assert fields(answer) == [(f"items.0.{place}", "key_not_exact")]
    for name in ("source", "external_id", "account_external_id"):
        for path, line in (("spending", spent(1)), ("facts", bill(1))):
            answer = send(caller, f"/provider/{path}", [line | {name: key}])
            assert answer.status_code == 422
            assert fields(answer) == [(f"lines.1.{name}", "key_not_exact")]
    assert [str(amount) for amount in Spending.objects.values_list("amount", flat=True)] == ["7.00"]
    assert Bill.objects.count() == 0


def test_dry_run_counts_and_writes_nothing(caller):
    answer = send(caller, "/provider/facts", [bill(1)], query="?dry_run=true")
    assert (done(answer), answer.json()["dry_run"]) == ((1, 0, 0), True)
    assert Bill.objects.count() == 0


def test_spending_counts_against_the_budget_in_the_same_call(caller):
    customer = associated()
    customer.account.external_id = "/c"
    customer.account.save()
    budget_of(customer)
    used_up = spent(1, account_external_id="/c", amount="100", occurred_at=str(timezone.now()))
    assert done(send(caller, "/provider/spending", [used_up])) == (1, 0, 0)
    causes = customer.account.freezes.open().values_list("cause", flat=True)
    assert "budget_exhausted" in causes


def test_each_wrong_line_and_field_is_named_and_nothing_is_written(caller):
    lines = [
        bill(1),
        bill(2, amount="x", issued_at="soon"),
        bill(3, account_external_id="/none"),
        bill(4, kind="invoice"),
        bill(5, colour="red"),
        bill(1, amount="7.00"),
        bill(6, account="c-1"),
        bill(7, account_external_id="/none", amount="x", colour="red"),
    ]
    body = b"\n".join([json.dumps(row).encode() for row in lines] + [b"{", b"", b'{"a":1,"a":2}'])
    answer = send(caller, "/provider/facts", body)
    assert problem(answer)[:2] == (422, "fields_invalid")
    assert fields(answer) == [
        ("lines.2.amount", "invalid"),
        ("lines.2.issued_at", "invalid"),
        ("lines.3.account_external_id", "unknown_account"),
        ("lines.4.kind", "unknown_kind"),
        ("lines.5.colour", "unknown"),
        ("lines.6", "contradiction"),
        ("lines.7.account", "invalid"),
        ("lines.8.amount", "invalid"),
        ("lines.8.account_external_id", "unknown_account"),
        ("lines.8.colour", "unknown"),
        ("lines.9", "invalid"),
        ("lines.11", "invalid"),
    ]
    assert (Bill.objects.count(), AuditEvent.objects.filter(action="bill.imported").count()) == (
        (0, 0)
    )


def test_envelopes_and_their_data_are_checked_at_once(caller):
    data = {**BILL, "account_external_id": "/none"}
    events = [event(1), event(2, id=""), event(3, data=data), event(4, type="x")]
    answer = send(caller, "/provider/facts", events, EVENTS)
    assert fields(answer) == [
        ("items.1.id", "cloudevent"),
        ("items.2.data.account_external_id", "unknown_account"),
        ("items.3.type", "unknown_kind"),
    ]
    assert Bill.objects.count() == 0


@pytest.mark.parametrize("moment", ["2026-01-31T09:00:00.5Z", "2026-01-31t10:00:00+01:00", None])
def test_moment_of_an_event_is_one_of_rfc_3339(caller, moment):
    assert done(send(caller, "/provider/facts", [event(1, time=moment)], EVENTS)) == (1, 0, 0)


def test_accounts_are_changed_only_with_the_scope_for_it(account):
    both = [ProviderScope.FACTS_WRITE, ProviderScope.ACCOUNTS_WRITE]
    change = {"kind": "account", "external_id": "1", **KEYED, "country": "FR"}
    data = {"account_external_id": "/a/b", "country": "FR"}
    reporter = ProviderCaller(both[:1])
    for items, content_type in (
        ([bill(1), change], LINES),
        ([event(1, "com.example.account", data=data)], EVENTS),
    ):
        answer = send(reporter, "/provider/facts", items, content_type)
        assert (problem(answer)[:2], answer.json()["missing_scope"]) == (
            (403, "scope_missing"),
            "provider:accounts:write",
        )
    assert Bill.objects.count() == 0
    assert done(send(reporter, "/provider/facts", [bill(1)])) == (1, 0, 0)
    assert done(send(ProviderCaller(both), "/provider/facts", [change])) == (0, 1, 0)
    account.refresh_from_db()
    assert account.country == "FR"


@pytest.mark.parametrize(
    ("path", "item", "message"),
    [
        ("facts", {"kind": "spending"},
         "Spending counts against budgets: send it to /api/v1/provider/spending."),
        ("spending", {"kind": "bill"},
         "Only spending is recorded here: send facts to /api/v1/provider/facts."),
    ],
)  # fmt: skip
def test_item_for_the_other_address_is_told_that_address(caller, path, item, message):
    found = send(caller, f"/provider/{path}", [item]).json()["fields"]
    assert [(row["field"], row["message"]) for row in found] == [("lines.1.kind", message)]


@pytest.mark.parametrize(
    ("body", "content_type", "field"),
    [
        (b"\n\n", LINES, "lines"),
        ([bill(n) for n in range(1_001)], LINES, "lines"),
        ([], EVENTS, "items"),
        ({}, EVENTS, "items"),
    ],
    ids=["none", "too many", "no events", "no list"],
)
def test_batch_of_the_wrong_size_names_the_batch(caller, body, content_type, field):
    answer = send(caller, "/provider/facts", body, content_type)
    assert [name for name, _code in fields(answer)] == [field]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"specversion": "0.3"}, "items.1.specversion"),
        ({"id": ""}, "items.1.id"),
        ({"id": 7}, "items.1.id"),
        ({"source": None}, "items.1.source"),
        ({"type": []}, "items.1.type"),
        ({"type": "com.example.invoice"}, "items.1.type"),
        ({"type": "com.example.spending"}, "items.1.type"),
        ({"data": "x"}, "items.1.data"),
        ({"data": {**BILL, "account_external_id": "/a/b", "external_id": "1"}},
         "items.1.data.external_id"),
        ({"data": {**BILL, "account_external_id": "/a/b", "amount": 5}}, "items.1.data.amount"),
        ({"datacontenttype": "application/xml"}, "items.1.datacontenttype"),
        ({"data_base64": "eA=="}, "items.1.data_base64"),
        ({"Extra": "x"}, "items.1.Extra"),
        ({"extra": {}}, "items.1.extra"),
        ({"time": 5}, "items.1.time"),
        ({"time": "junk"}, "items.1.time"),
        ({"time": ""}, "items.1.time"),
        ({"time": "2026-01-31T09:00:00"}, "items.1.time"),
        ({"time": "2026-02-30T09:00:00Z"}, "items.1.time"),
        ({"time": "2026-W05-6T09:00:00Z"}, "items.1.time"),
        ({"data": {**BILL, "account_external_id": "/a/b", "paid_amount": "5.01"}},
         "items.1.data.paid_amount"),
        ({"source": "x" * 256}, "items.1.source"),
        ({"id": "x" * 121}, "items.1.id"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_wrong_attribute_of_an_event_is_named(caller, changes, field):
    answer = send(caller, "/provider/facts", [event(1), event(2, **changes)], EVENTS)
    assert problem(answer)[:2] == (422, "fields_invalid")
    assert [name for name, _code in fields(answer)] == [field]
    assert Bill.objects.count() == 0


def test_answer_names_a_thousand_wrong_fields_and_counts_the_others(caller):
    answer = send(
        caller, "/provider/facts", [bill(n, amount="x", issued_at="x") for n in range(600)]
    )
    assert (len(fields(answer)), answer.json()["fields_left_out"]) == (1_000, 200)


@pytest.mark.parametrize(
    ("body", "content_type", "found"),
    [
        (b"\n\n", LINES, (422, "fields_invalid")),
        ([bill(n) for n in range(1_001)], LINES, (422, "fields_invalid")),
        ([event(n) for n in range(1_001)], EVENTS, (422, "fields_invalid")),
        ([], EVENTS, (422, "fields_invalid")),
        ({}, EVENTS, (422, "fields_invalid")),
        (b"[", EVENTS, (400, "body_not_json")),
        (b"[" * 100_000, EVENTS, (400, "body_not_json")),
        (b'[{"id": NaN}]', EVENTS, (400, "body_not_json")),
        (b"[1e1000000000000000000]", EVENTS, (400, "body_not_json")),
        (b'{"amount": 1e1000000000000000000}', LINES, (422, "fields_invalid")),
        (b'[{"id": "1", "id": "1"}]', EVENTS, (400, "body_not_json")),
        ([], "application/json", (415, "content_type_not_batch")),
        (b"x" * 2_000_001, LINES, (413, "too_large")),
        (b"\xff", LINES, (422, "fields_invalid")),
        (b'{"amount": 1e309}', LINES, (422, "fields_invalid")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_body_that_is_no_batch_is_refused(caller, body, content_type, found):
    answer = send(caller, "/provider/facts", body, content_type)
    assert problem(answer)[:2] == found


def test_batch_is_loaded_once_for_its_idempotency_key(caller):
    first = send(caller, "/provider/facts", [bill(1)], Idempotency_Key="a")
    again = send(caller, "/provider/facts", [bill(1)], Idempotency_Key="a")
    assert (done(again), again.content) == (done(first), first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(caller, "/provider/facts", [bill(2)], Idempotency_Key="a")
    assert problem(other)[:2] == (422, "idempotency_key_used")
    # A dry run does nothing, so its answer is not kept.
    dry = send(caller, "/provider/facts", [bill(3)], query="?dry_run=true", Idempotency_Key="b")
    assert done(dry) == (1, 0, 0)
    assert done(send(caller, "/provider/facts", [bill(3)], Idempotency_Key="b")) == (1, 0, 0)


def test_refused_batch_does_not_use_up_its_idempotency_key(caller):
    wrong = send(caller, "/provider/spending", [spent(1, amount="x")], Idempotency_Key="a")
    assert problem(wrong)[:2] == (422, "fields_invalid")
    assert IdempotentAnswer.objects.count() == 0
    assert done(send(caller, "/provider/spending", [spent(1)], Idempotency_Key="a")) == (1, 0, 0)

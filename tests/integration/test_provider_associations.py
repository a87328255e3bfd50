"""Associations and events of all partners, as the provider's programs read and end them."""

import pytest
from django.utils import timezone

from accounts.models import CustomerAccount, Freeze
from association.services.events import publish_refused_attempt
from audit.models import AuditEvent
from outbox.models import Event, OutboxMessage
from outbox.services.events import number_events, publish
from tests.factories import CustomerAccountFactory, make_associated
from tests.integration.calls import Caller, ProviderCaller

pytestmark = pytest.mark.django_db


def ids(answer):
    return [row["id"] for row in answer.json()["items"]]


def test_association_is_shown():
    customer = make_associated()
    shown = ProviderCaller().get(f"/provider/associations/{customer.pk}").json()

    assert shown == {
        "id": str(customer.pk),
        "partner_id": str(customer.partner_id),
        "account": customer.account.owner.account_name,
        "external_id": None,
        "association_type": "reseller",
        "status": "waiting",
        "invitation_id": str(customer.invitation_id),
        "reference": "",
        "associated_at": customer.associated_at.isoformat().replace("+00:00", "Z"),
        "coupons_pay_before": customer.associated_at.isoformat().replace("+00:00", "Z"),
        "ended_at": None,
        "end_reason": "",
    }


def test_associations_are_found_by_account_partner_and_state():
    first, second, third = (make_associated() for _ in range(3))
    caller = ProviderCaller()
    path = "/provider/associations"
    caller.post(f"{path}/{third.pk}/end", {"reason": "x"})

    assert ids(caller.get(path)) == [str(row.pk) for row in (third, second, first)]
    assert ids(caller.get(path, ended="true")) == [str(third.pk)]
    assert ids(caller.get(path, ended="false", limit=1)) == [str(second.pk)]
    assert ids(caller.get(path, partner_id=str(first.partner_id))) == [str(first.pk)]
    assert ids(caller.get(path, account=second.account.owner.account_name)) == [str(second.pk)]
    CustomerAccount.objects.filter(pk=first.account_id).update(external_id="Acct/1")
    found = caller.get(path, external_id="Acct/1")
    assert [(row["id"], row["external_id"]) for row in found.json()["items"]] == [
        (str(first.pk), "Acct/1")
    ]
    assert caller.get(path, partner_id="x").status_code == 422


@pytest.mark.parametrize(
    ("filters", "detail"),
    [
        ({"account": "c-0000000000"}, "There is no account with this account name."),
        ({"account": "ada@example.com"}, "There is no account with this account name."),
        ({"external_id": "/none"}, "There is no account with this external_id."),
        ({"partner_id": "999"}, "There is no partner with this id."),
    ],
)
def test_list_of_what_does_not_exist_is_a_404_that_says_which(filters, detail):
    caller = ProviderCaller()
    answers = [caller.get("/provider/associations", **filters)]
    if "partner_id" in filters:
        answers.append(caller.get("/provider/events", **filters))

    assert [(row.status_code, row.json()["detail"]) for row in answers] == [(404, detail)] * len(
        answers
    )


def test_provider_ends_an_association_despite_all_obstacles():
    customer = make_associated()
    customer.account.bills.create(
        source="test",
        external_id="1",
        amount="10.00",
        paid_amount="0.00",
        issued_at=timezone.now(),
        due_at=timezone.now(),
    )
    caller = ProviderCaller()
    OutboxMessage.objects.all().delete()
    path = f"/provider/associations/{customer.pk}/end"
    ended = caller.post(path, {"reason": "The contract has ended."})
    again = caller.post(path, {"reason": "Once more."})

    assert ended.status_code == 200
    assert (ended.json()["status"], ended.json()["end_reason"]) == (
        "ended",
        "The contract has ended.",
    )
    assert (again.status_code, again.json()["code"]) == (409, "ended")
    assert not Freeze.objects.open().filter(account=customer.account).exists()
    event = AuditEvent.objects.get(action="association.ended")
    assert (event.actor, event.acted_for) == (caller.key.user, None)
    kinds = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert "association.ended" in kinds


def test_feed_has_the_events_of_all_partners_and_of_none():
    first, second = make_associated(), make_associated()
    without_partner = CustomerAccountFactory(external_id="/n")
    publish(
        kind="account.changed",
        about=without_partner,
        partner_id=None,
        now=timezone.now(),
    )
    number_events(now=timezone.now())
    caller = ProviderCaller()
    events = list(Event.objects.order_by("position"))
    shown = caller.get("/provider/events").json()

    assert shown["next"] is None
    assert [(row["id"], row["partner_id"]) for row in shown["items"]] == [
        (str(event.pk), None if event.partner_id is None else str(event.partner_id))
        for event in events
    ]
    assert {row["partner_id"] for row in shown["items"]} == {
        str(first.partner_id),
        str(second.partner_id),
        None,
    }
    own = Caller(first.partner).get("/events").json()["items"]
    of_first = caller.get("/provider/events", partner_id=str(first.partner_id)).json()["items"]
    of_account = {"account": first.account.owner.account_name, "external_id": None}
    of_nothing = {"account": None, "external_id": None}
    assert of_first == [
        {
            **row,
            "partner_id": str(first.partner_id),
            **(of_account if "customer_id" in row["data"] else of_nothing),
        }
        for row in own
    ]


def test_feed_has_the_events_of_one_kind():
    customers = [make_associated() for _ in range(3)]
    number_events(now=timezone.now())
    caller, kind = ProviderCaller(), "association.created"
    pages = [caller.get("/provider/events", type=kind, limit=2)]
    pages.append(caller.client.get(pages[0].json()["next"], headers=caller.headers()))
    rows = [row for page in pages for row in page.json()["items"]]

    assert [(row["type"], row["partner_id"]) for row in rows] == [
        (kind, str(customer.partner_id)) for customer in customers
    ]
    key = str(customers[1].partner_id)
    [row] = caller.get("/provider/events", type=kind, partner_id=key).json()["items"]
    assert row == rows[1]
    assert caller.get("/provider/events", type="unknown").status_code == 422


def test_events_name_the_account_by_both_its_names():
    customer, without_partner = make_associated(), CustomerAccountFactory(external_id="/n")
    CustomerAccount.objects.filter(pk=customer.account_id).update(external_id="/c")
    now = timezone.now()
    publish(kind="account.frozen", about=without_partner, partner_id=None, now=now)
    publish_refused_attempt(attempt=customer.attempt, now=now)
    number_events(now=now)
    shown = ProviderCaller().get("/provider/events").json()["items"]

    of_customer = (customer.account.owner.account_name, "/c")
    names = {(row["type"], row["account"], row["external_id"]) for row in shown}
    assert names >= {
        ("association.created", *of_customer),
        ("attempt.refused", *of_customer),
        ("account.frozen", without_partner.owner.account_name, "/n"),
    }


def test_feed_goes_on_after_an_event():
    for _ in range(3):
        make_associated()
    number_events(now=timezone.now())
    caller = ProviderCaller()
    everything = ids(caller.get("/provider/events"))
    pages = [caller.get("/provider/events", limit=2)]
    while pages[-1].json()["next"]:
        pages.append(caller.client.get(pages[-1].json()["next"], headers=caller.headers()))

    assert len(everything) > 4
    assert [key for page in pages for key in ids(page)] == everything
    assert ids(caller.get("/provider/events", after=everything[-1])) == []
    unknown = caller.get("/provider/events", after="100000000000000001")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "cursor_unknown")

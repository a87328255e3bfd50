"""How many statements a call takes: as many with three rows as with one."""

import json

import pytest
from django.core.cache import cache
from django.utils import timezone

from outbox.services.events import number_events
from partners.models import Invitation
from tests.factories import (
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerFactory,
    make_associated,
)
from tests.integration.calls import API, Caller, ProviderCaller

pytestmark = pytest.mark.django_db
LINK = {"channel": "link", "association_type": "reseller", "label": "Fair 2026"}
BUDGET = {
    "limit": {"amount": "1500.00", "currency": "USD"},
    "period": "monthly",
    "on_exhaustion": "freeze",
}


@pytest.fixture(autouse=True)
def _cache_without_statements(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.mark.parametrize(
    ("path", "statements"), [("/invitations", 2), ("/customers", 7), ("/events", 2)]
)
def test_list_takes_so_many_statements(path, statements, django_assert_num_queries):
    partner = PartnerFactory()
    caller = Caller(partner)
    for rows in (1, 2):
        for _ in range(rows):
            customer = make_associated(invitation=InvitationFactory(partner=partner))
            assert caller.post(f"/customers/{customer.pk}/budget", BUDGET).status_code == 200
        number_events(now=timezone.now())
        with django_assert_num_queries(statements):
            caller.get(path)


@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("/provider/partners", 2),
        ("/provider/associations", 2),
        ("/provider/events", 3),
        ("/provider/accounts", 2),
    ],
)
def test_list_of_the_provider_takes_so_many_statements(path, statements, django_assert_num_queries):
    caller = ProviderCaller()
    for rows in (1, 2):
        for _ in range(rows):
            make_associated()
        number_events(now=timezone.now())
        with django_assert_num_queries(statements):
            caller.get(path)


def test_thousand_invitations_take_as_many_statements_as_their_rows_need(
    django_assert_max_num_queries,
):
    caller = Caller(PartnerFactory())
    items = [{**LINK, "label": f"Table {number}"} for number in range(1_000)]
    with django_assert_max_num_queries(80):
        answer = caller.post("/invitations/many", {"items": items})

    assert answer.status_code == 201
    assert [row["label"] for row in answer.json()["items"]] == [row["label"] for row in items]
    assert Invitation.objects.count() == 1_000


def batch_of(accounts, number):
    """Return a body with so many amounts of these accounts, as spending and as cash."""
    names = [account.owner.account_name for account in accounts]
    rows = [
        {
            "source": f"batch of {number}",
            "external_id": str(place),
            "account": names[place % len(names)],
            "amount": "1.00",
            "occurred_at": "2026-01-31T09:00:00Z",
        }
        for place in range(number)
    ]
    return {
        "/provider/facts": [{"kind": "cash_expenditure", **row} for row in rows],
        "/provider/spending": rows,
    }


@pytest.mark.parametrize(
    ("path", "statements"), [("/provider/facts", 10), ("/provider/spending", 11)]
)
def test_batch_takes_as_many_statements_as_its_chunks(
    path, statements, django_assert_num_queries, django_assert_max_num_queries
):
    caller, accounts = ProviderCaller(), CustomerAccountFactory.create_batch(2)

    def send(rows):
        body = b"\n".join(json.dumps(row).encode() for row in rows)
        answer = caller.client.post(
            f"{API}{path}", body, content_type="application/x-ndjson", headers=caller.headers()
        )
        return answer.json()["created"]

    for some, number in ((accounts[:1], 1), (accounts, 90)):
        with django_assert_num_queries(statements):
            assert send(batch_of(some, number)[path]) == number
    # Two chunks of 500; a statement of SQLite takes 1,000 values.
    with django_assert_max_num_queries(statements + 18):
        assert send(batch_of(accounts, 1_000)[path]) == 1_000


def test_permissions_take_so_many_statements(django_assert_num_queries):
    caller, customer = ProviderCaller(), make_associated()
    name = customer.account.owner.account_name
    for _ in range(2):
        with django_assert_num_queries(6):
            assert caller.get("/provider/permissions", account=name).status_code == 200
        FreezeFactory(account=customer.account, cause="partner", lifted=True)

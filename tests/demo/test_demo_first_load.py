"""The first load of the demo: from nothing and at any moment."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from association.models import Association
from association.services.eligibility import RULES
from association.services.invariants.checking import find_violations
from association.services.spending import spent_of
from demo.examples import INVITING
from partners.models import Partner
from tests.demo_json import load

pytestmark = pytest.mark.django_db

NAMES = ["eligible", "eligible_not_enabled", *(rule.code.value for rule in RULES)]
KEYS = [
    "reseller_link",
    "reseller_email",
    "referral_link",
    "referral_email",
    "expired",
    "revoked",
    "used_up",
]


def customer_of(company):
    return Association.objects.get(account__owner__email__contains=f"@{company}.")


def test_demo_has_the_shape_of_the_contract(settings):
    settings.PUBLIC_BASE_URL = "https://partners.example.org"
    demo = load()
    assert list(demo) == ["invitations", "accounts", "partner", "manager", "admin", "customers"]
    assert list(demo["invitations"]) == KEYS
    assert list(demo["accounts"]) == NAMES
    shapes = {tuple(account) for account in demo["accounts"].values()}
    assert shapes == {("login", "password", "invitation")}
    assert list(demo["customers"]) == ["waiting", "used_up", "frozen_by_partner", "active"]
    logins = [demo["partner"], demo["manager"], demo["admin"], *demo["customers"].values()]
    assert {tuple(login) for login in logins} == {("login", "password")}
    urls = [*demo["invitations"].values(), *(a["invitation"] for a in demo["accounts"].values())]
    assert len(set(urls)) == len(KEYS) + len(NAMES)
    assert {url[:-26] for url in urls} == {"https://partners.example.org/i/"}


@pytest.mark.parametrize(
    "zone",
    [
        "Europe/Berlin",
        # A second for each moment.
        pytest.param("Pacific/Kiritimati", marks=pytest.mark.slow),
        pytest.param("America/Los_Angeles", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 12, 1, 0, 0, tzinfo=UTC),
        datetime(2026, 11, 30, 23, 0, 1, tzinfo=UTC),
        datetime(2027, 3, 1, 8, 5, tzinfo=UTC),
        datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
    ],
)
def test_budget_is_spent_at_any_day_and_in_any_zone(monkeypatch, moment, zone):
    monkeypatch.setitem(INVITING, "time_zone", zone)
    with time_machine.travel(moment, tick=False):
        load()
        partner = Partner.objects.get(slug="nordlicht")
        assert partner.time_zone == zone
        [budget] = customer_of("windmuehle").budgets.current()
        assert spent_of(budget, timezone.now()) == Decimal("402.30")
        assert budget.alerts.count() == 1
        assert customer_of("leuchtturm").account.freezes.open().count() == 1
        assert [v for v in find_violations() if v.invariant != "I8"] == []


def test_page_says_that_the_demo_is_not_loaded(client):
    answer = client.get("/demo/")
    assert answer.status_code == 200
    assert "The demo is not loaded yet" in answer.content.decode()

"""Partners of one name, added by several programs of the provider at once."""

import time

import pytest

from partners.models import Partner
from partners.services.partner_names import check_name
from tests.association.test_races import at_once
from tests.integration.calls import ProviderCaller

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def slowly(monkeypatch):
    """Let every call look at the names before another one has added its partner."""

    def check_slowly(*values):
        check_name(*values)
        time.sleep(0.3)

    monkeypatch.setattr("partners.services.new_partners.check_name", check_slowly)


def statuses():
    caller = ProviderCaller()
    bodies = [
        {
            "slug": f"north-{number}",
            "name": "North Cloud",
            "legal_name": f"North {number} Ltd",
            "country": "DE",
            "support_email": "help@north.example",
            "administrator": f"ada-{number}@north.example",
        }
        for number in range(4)
    ]
    found = at_once(lambda body: caller.post("/provider/partners", body), bodies)
    return sorted(answer.status_code for answer in found)


def test_one_partner_takes_the_name():
    assert statuses() == [201, 409, 409, 409]
    assert Partner.objects.filter(name="North Cloud").count() == 1


def test_control_without_the_lock_several_take_it(monkeypatch):
    monkeypatch.setattr("partners.services.new_partners.lock_names", lambda: None)

    assert statuses().count(201) > 1

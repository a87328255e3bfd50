"""The metrics of requests have few series: no flood and no large admin makes more of them."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import InvitationFactory, UserFactory
from web.metrics import REQUESTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def series_of(settings):
    """Return a function that acts and returns how often each route and status was answered."""
    # Its middleware looks at this once; nothing listens there.
    settings.METRICS_PORT = 9

    def series(act):
        REQUESTS.clear()
        act()
        [metric] = REQUESTS.collect()
        return {
            (sample.labels["route"], sample.labels["status"]): sample.value
            for sample in metric.samples
            if sample.name.endswith("_total")
        }

    yield series
    REQUESTS.clear()


def test_all_pages_of_the_admin_are_one_route(series_of):
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    pages = ["admin:index", "admin:accounts_user_changelist", "admin:partners_partner_changelist"]

    def read():
        for name in pages:
            client.get(reverse(name))

    assert series_of(read) == {("admin", "200"): len(pages)}


def test_tokens_and_unknown_paths_make_no_series_of_their_own(series_of):
    tokens = [InvitationFactory.create().token for _ in range(3)]
    client = Client()

    def flood():
        for number, token in enumerate(tokens):
            client.get(f"/i/{token}")
            client.get(f"/no/such/page/{number}")

    assert series_of(flood) == {("landing", "200"): 3, ("unknown", "404"): 3}

"""An action that a deadlock undoes runs again: its page shows what the second run has stored."""

import html
import re
from secrets import token_urlsafe

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from integration.models import ApiKey, WebhookEndpoint
from integration.services.sealing import unseal
from tests.factories import PartnerMemberFactory
from tests.integration.webhooks import make_endpoint
from tests.shown_forms import hidden_fields
from web.models import FormKey

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://crm.example.com/hooks"


class Deadlock(Exception):
    sqlstate = "40P01"


@pytest.fixture
def boss():
    return PartnerMemberFactory(administrator=True)


@pytest.fixture
def member_client(boss):
    client = Client()
    client.force_login(boss.user)
    return client


@pytest.fixture
def post(member_client):
    def send(address, **fields):
        form = {"form_key": token_urlsafe(16), **fields}
        answer = member_client.post(address, form, follow=True)
        assert answer.status_code == 200
        return answer

    return send


def page(name, *args):
    return reverse(f"console_{name}", args=args)


def secrets_in(answer):
    return set(re.findall(r"(?:whsec|pak)_[\w+/]+=*", html.unescape(answer.content.decode())))


@pytest.fixture(autouse=True)
def runs(monkeypatch):
    """Let the first action end in a deadlock when all of it is done; return one item a run."""
    runs = []
    save = FormKey.save

    def save_or_fail(self, **options):
        if "update_fields" in options:
            runs.append(self)
            if len(runs) == 1:
                raise OperationalError from Deadlock()
        save(self, **options)

    monkeypatch.setattr(FormKey, "save", save_or_fail)
    return runs


def test_new_endpoint_shows_the_secret_that_is_stored(post, runs):
    answer = post(page("new_webhook"), url=URL)
    endpoint = WebhookEndpoint.objects.get()
    assert len(runs) == 2
    assert secrets_in(answer) == {unseal(endpoint.sealed_secret)}
    assert page("webhook", endpoint.pk) in answer.content.decode()


def test_rotation_shows_the_secret_that_is_stored(post, boss, runs):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    answer = post(page("rotate_webhook", endpoint.pk))
    endpoint.refresh_from_db()
    assert len(runs) == 2
    assert secrets_in(answer) == {unseal(endpoint.sealed_secret)}


def test_new_key_is_shown_as_it_is_stored(post, runs, client):
    answer = post(page("new_key"), name="CRM", scopes=["events:read"], days="30")
    [key] = secrets_in(answer)
    used = client.get("/api/v1/events", headers={"authorization": f"Bearer {key}"})
    assert len(runs) == 2
    assert ApiKey.objects.count() == 1
    assert used.status_code == 200


def test_what_was_done_is_said_once(post, boss, member_client, runs):
    endpoint, _secret = make_endpoint(URL, boss.partner)
    address = page("edit_webhook", endpoint.pk)
    shown = hidden_fields(member_client.get(address))
    answer = post(address, **shown, url=URL, description="New name")
    assert len(runs) == 2
    assert [str(each) for each in answer.context["messages"]] == ["Saved."]

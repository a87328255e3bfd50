"""The console's pages about API keys."""

import re
import secrets

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integration.enums import CallProblem
from integration.models import ApiKey
from integration.services.keys import hash_of, revoke_key
from partners.enums import InvitationProblem
from tests.factories import PartnerMemberFactory
from tests.integration.calls import make_key

pytestmark = pytest.mark.django_db
NEW = {"name": "CRM sync", "scopes": ["invitations:write", "events:read"], "days": "30"}


@pytest.fixture
def boss():
    return PartnerMemberFactory(administrator=True)


@pytest.fixture
def client(boss):
    client = Client()
    client.force_login(boss.user)
    return client


def test_secret_is_shown_in_the_answer_that_makes_the_key(client, boss):
    answer = client.post(reverse("console_new_key"), NEW)
    api_key = ApiKey.objects.get()
    secret = answer.context["secret"]

    assert answer.status_code == 200
    assert f'value="{secret}"' in answer.content.decode()
    assert api_key.secret_hash == hash_of(secret)
    assert (api_key.partner, api_key.created_by) == (boss.partner, boss.user)
    assert api_key.scopes == ["events:read", "invitations:write"]
    assert (api_key.expires_at - api_key.created_at).days == 30
    assert secret not in client.get(reverse("console_keys")).content.decode()


def test_second_click_makes_no_second_key(client):
    sent = {**NEW, "form_key": secrets.token_urlsafe(16)}
    client.post(reverse("console_new_key"), sent)
    again = client.post(reverse("console_new_key"), sent)

    assert ApiKey.objects.count() == 1
    assert (again.status_code, again["Location"]) == (
        303,
        f"{reverse('console_keys')}#{ApiKey.objects.get().pk}",
    )


@pytest.mark.parametrize("missing", NEW)
def test_form_says_what_is_missing(client, missing):
    answer = client.post(
        reverse("console_new_key"), {name: NEW[name] for name in NEW if name != missing}
    )

    assert answer.status_code == 400
    assert list(answer.context["form"].errors) == [missing]
    assert not ApiKey.objects.exists()


def test_list_takes_as_many_statements_with_three_keys_as_with_one(
    client, boss, django_assert_num_queries
):
    make_key(boss.partner)
    client.get(reverse("console_keys"))
    for more in range(2):
        with django_assert_num_queries(6):
            client.get(reverse("console_keys"))
        make_key(boss.partner, name=f"Key {more}")
        make_key(boss.partner, name=f"Other {more}")


def test_live_keys_are_shown_before_newer_ones_that_have_ended(client, boss, monkeypatch):
    monkeypatch.setattr("integration.views.keys._MOST_ENDED", 1)
    make_key(boss.partner, name="Live")
    for name in ("Older", "Newer"):
        ended, _secret = make_key(boss.partner, name=name)
        revoke_key(api_key=ended, by=boss.user, now=timezone.now())
    answer = client.get(reverse("console_keys"))
    shown = answer.context["keys"]

    assert all(
        str(label) in answer.content.decode() for _row, _live, labels in shown for label in labels
    )
    assert [(row.name, is_live) for row, is_live, _scopes in shown] == [
        ("Live", True),
        ("Newer", False),
    ]


def test_key_is_revoked_by_a_post(client, boss):
    api_key, _secret = make_key(boss.partner)
    address = reverse("console_revoke_key", args=[api_key.pk])
    shown = client.get(address)
    answer = client.post(address)

    assert shown.status_code == 200
    assert (answer.status_code, answer["Location"]) == (303, reverse("console_keys"))
    api_key.refresh_from_db()
    assert api_key.revoked_by == boss.user
    assert client.get(address).status_code == 303


def test_pages_claim_no_more_of_the_last_use_than_is_known(client, boss):
    # The worker writes uses every minute.
    api_key, _secret = make_key(boss.partner)
    revoke = client.get(f"/partner/api-keys/{api_key.pk}/revoke").content.decode()
    assert "No use of it is known. A use shows up here within a minute." in revoke
    assert "no use known up to a minute ago" in client.get("/partner/api-keys/").content.decode()


def test_page_about_the_api_is_for_everybody(client):
    answer = Client().get(reverse("api"))
    text = answer.content.decode()

    assert answer.status_code == 200
    for needed in (
        "/api/v1/invitations/many",
        "Idempotency-Key",
        'id="no_budget"',
        'id="CustomerList"',
    ):
        assert needed in text
    for wrong in ("any value", "%(", "Listed", 'id="logo_too_large"'):
        assert wrong not in text


def test_links_of_the_page_about_the_api_lead_somewhere(client):
    page = client.get(reverse("api")).content.decode()
    ids = re.findall(r'id="([^"]*)"', page)
    fragments = re.findall(r'href="#([^"]*)"', page)

    assert len(fragments) > 100
    assert sorted(set(fragments) - set(ids)) == []
    assert len(set(ids)) == len(ids)


def test_page_about_the_api_shows_code_as_code_and_nothing_empty(client):
    page = client.get(reverse("api")).content.decode()

    assert "`" not in page
    assert "<p>Scope: <code>provider:facts:write</code>.</p>" in page
    assert re.findall(r"<dd>\s*</dd>|<p>\s*</p>", page) == []


def test_page_about_the_api_has_every_code_of_a_call(client):
    codes = [code for code, _sentence in client.get(reverse("api")).context["codes"]]

    assert {*CallProblem, *InvitationProblem, "tried_too_often"} <= set(codes)
    assert codes == sorted(set(codes))


def test_page_about_the_api_says_what_a_value_is_limited_to(client):
    shapes = {name: fields for name, _about, fields in client.get(reverse("api")).context["shapes"]}
    kinds = {
        (name, field.name): field.kind
        for name in ("NewInvitation", "BudgetPreset", "NewFreeze", "Money")
        for field in shapes[name]
    }

    assert kinds["NewInvitation", "reference"] == "string, 128 characters at most"
    assert kinds["BudgetPreset", "period"] == 'monthly, one_time, default "monthly"'
    assert kinds["NewFreeze", "scope"] == 'account, account_and_resources, default "account"'
    assert kinds["Money", "amount"] == r"string, matches ^[0-9]{1,12}\.[0-9]{2}$"

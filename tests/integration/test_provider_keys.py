"""Keys of the provider: made and revoked in the admin, and kept apart from those of partners."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.enums import UserKind
from audit.models import AuditEvent
from integration.enums import ProviderScope
from integration.models import ApiKey
from integration.services import keys
from integration.services.keys import hash_of
from partners.views.refusing import actor_name
from tests.factories import PartnerFactory, UserFactory
from tests.integration.calls import ProviderCaller, make_key, make_provider_key
from tests.shown_forms import hidden_fields

pytestmark = pytest.mark.django_db
ADD = reverse("admin:integration_apikey_add")
LIST = reverse("admin:integration_apikey_changelist")
NEW = {"name": "Billing", "scopes": ["provider:spending:write"], "days": "30"}


def administrator(*permissions):
    user = UserFactory(staff=not permissions)
    if permissions:
        user.is_staff = True
        user.save()
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return user, client


def revoke(client, api_key, **more):
    data = {"action": "revoke", "_selected_action": api_key.pk, "from_object": "1", **more}
    return client.post(LIST, data)


def test_secret_is_shown_in_the_answer_that_makes_the_key():
    user, client = administrator()
    answer = client.post(ADD, NEW)
    api_key = ApiKey.objects.get()
    secret = answer.context["secret"]

    assert (answer.status_code, api_key.secret_hash) == (200, hash_of(secret))
    assert f'value="{secret}"' in answer.content.decode()
    assert (api_key.partner, api_key.created_by, api_key.scopes) == (None, user, NEW["scopes"])
    assert (api_key.expires_at - api_key.created_at).days == 30
    page = client.get(reverse("admin:integration_apikey_change", args=[api_key.pk]))
    assert secret not in page.content.decode()
    event = AuditEvent.objects.get(action="api_key.created")
    assert (event.actor, event.object_id, event.after["partner"]) == (user, str(api_key.pk), None)


def test_button_pressed_twice_makes_one_key_and_says_so():
    _user, client = administrator()
    form = {**hidden_fields(client.get(ADD)), **NEW}
    first, second = client.post(ADD, form), client.post(ADD, form, follow=True)

    assert ApiKey.objects.get().secret_hash == hash_of(first.context["secret"])
    assert second.redirect_chain == [(LIST, 303)]
    assert "one key was made: the newest below." in second.content.decode()


@pytest.mark.parametrize("missing", NEW)
def test_form_says_what_is_missing(missing):
    _user, client = administrator()
    answer = client.post(ADD, {name: NEW[name] for name in NEW if name != missing})

    assert answer.status_code == 400
    assert list(answer.context["adminform"].form.errors) == [missing]
    assert not ApiKey.objects.exists()


def test_scope_of_partners_is_refused():
    _user, client = administrator()

    assert client.post(ADD, {**NEW, "scopes": ["events:read"]}).status_code == 400
    assert not ApiKey.objects.exists()


def test_who_may_only_view_makes_and_revokes_none():
    _user, client = administrator("view_apikey")
    api_key, _secret = make_provider_key()
    revoke(client, api_key, confirmed="1", reason="x")

    assert client.post(ADD, NEW).status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_twenty_keys_are_enough(monkeypatch):
    monkeypatch.setattr(keys, "MOST_LIVE_KEYS", 1)
    _user, client = administrator()
    make_provider_key()
    answer = client.post(ADD, NEW, follow=True)

    assert "has 20 keys" in answer.content.decode()
    assert ApiKey.objects.count() == 1


def test_key_is_revoked_with_a_reason():
    user, client = administrator()
    caller = ProviderCaller()
    page = client.get(reverse("admin:integration_apikey_change", args=[caller.key.pk]))
    asked = revoke(client, caller.key)
    revoke(client, caller.key, confirmed="1", reason="Found in a log.")
    event = AuditEvent.objects.get(action="api_key.revoked")

    assert 'value="revoke"' in page.content.decode()
    assert asked.status_code == 200
    assert (event.actor, event.after["reason"]) == (user, "Found in a log.")
    assert caller.get("/provider/partners").status_code == 401


def test_key_of_a_partner_is_not_revoked_here():
    _user, client = administrator()
    api_key, _secret = make_key(PartnerFactory())
    page = client.get(reverse("admin:integration_apikey_change", args=[api_key.pk]))
    answer = client.post(LIST, {"action": "revoke", "_selected_action": api_key.pk}, follow=True)

    assert 'value="revoke"' not in page.content.decode()
    assert "The administrators of the partner revoke it" in answer.content.decode()


def test_list_tells_the_sides_apart():
    _user, client = administrator()
    make_key(PartnerFactory(), name="CRM")
    make_provider_key()
    found = {
        side: [row.name for row in client.get(f"{LIST}?side={side}").context["cl"].result_list]
        for side in ("provider", "partners")
    }

    assert found == {"provider": ["Billing"], "partners": ["CRM"]}


def test_key_acts_for_the_provider_whose_name_partners_read(settings):
    api_key, _secret = make_provider_key()

    assert api_key.user.kind == UserKind.PROVIDER_PROGRAM
    assert api_key.user.acts_for_provider
    assert actor_name(api_key.user) == settings.PROVIDER_NAME
    api_key.user.is_active = True
    with pytest.raises(IntegrityError), transaction.atomic():
        api_key.user.save()


def test_database_refuses_a_scope_of_the_provider_for_a_partner():
    api_key, _secret = make_key(PartnerFactory())
    for scopes in (["events:read", ProviderScope.EVENTS_READ], [ProviderScope.FACTS_WRITE]):
        api_key.scopes = scopes
        with pytest.raises(IntegrityError), transaction.atomic():
            api_key.save()


# --- what the pages show


def readonly_texts(client, api_key):
    """Return the label and the text of each row of the key's page."""
    page = client.get(reverse("admin:integration_apikey_change", args=[api_key.pk]))
    pattern = r'<label>([^<]*):</label>\s*<div class="readonly">(.*?)</div>\s*</div>'
    rows = re.findall(pattern, page.content.decode(), re.DOTALL)
    return {label: strip_tags(text).strip() for label, text in rows}


def token_program():
    api_key, _secret = make_provider_key()
    tokens = {"issuer": "https://id.example", "subject": "billing-sync", "secret_hash": None}
    ApiKey.objects.filter(pk=api_key.pk).update(**tokens, expires_at=None, scopes=[], ending="")
    return ApiKey.objects.get(pk=api_key.pk)


def test_boxes_name_the_code_that_a_refused_call_names():
    _user, client = administrator()
    page = client.get(ADD).content.decode()

    assert [code for code in ProviderScope.values if f"({code})" not in page] == []
    assert re.findall(r'type="submit"[^>]*value="([^"]*)"', page)[-1:] == ["Make the key"]


def test_page_has_the_fields_of_the_kind_of_key():
    _user, client = administrator()
    made, _secret = make_provider_key()
    rows = readonly_texts(client, made)
    common = ["Name", "Kind", "State", "What it may do", "Acts as", "Created at"]
    ends = ["Revoked at", "Revoked by", "Last used at"]

    assert list(rows) == [*common[:5], "Ends with", "Created at", "Created by", "Expires at", *ends]
    assert rows["Kind"] == "key of the provider"
    program = token_program()
    rows = readonly_texts(client, program)
    assert sorted(rows) == sorted([*common, *ends, "Issuer of tokens", "Subject of tokens"])
    assert rows["Kind"] == "program of the provider that sends tokens"
    assert rows["What it may do"] == "What each of its tokens allows: the issuer grants that."


def test_list_says_which_keys_are_valid():
    _user, client = administrator()
    now = timezone.now()
    for name, values in {
        "a": {},
        "b": {"revoked_at": now},
        "c": {"created_at": now - timedelta(days=9), "expires_at": now - timedelta(days=1)},
    }.items():
        api_key, _secret = make_provider_key([ProviderScope.FACTS_WRITE], name)
        ApiKey.objects.filter(pk=api_key.pk).update(**values)
    page = client.get(LIST).content.decode()
    shown = {
        name: re.findall(rf'class="field-{name}[^"]*">(?:<[^>]+>)*([^<]*)', page)
        for name in ("name", "state", "kind", "codes")
    }

    assert shown == {
        "name": ["b", "a", "c"],
        "state": ["revoked", "valid", "expired"],
        "kind": ["key of the provider"] * 3,
        "codes": ["provider:facts:write"] * 3,
    }
    for state, names in {"valid": ["a"], "revoked": ["b"], "expired": ["c"]}.items():
        rows = client.get(LIST, {"state": state}).context["cl"].result_list
        assert [row.name for row in rows] == names


def test_valid_keys_include_programs_whose_tokens_end_one_by_one():
    _user, client = administrator()
    program = token_program()

    assert list(client.get(LIST, {"state": "valid"}).context["cl"].result_list) == [program]
    assert not client.get(LIST, {"state": "expired"}).context["cl"].result_list

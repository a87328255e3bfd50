"""Entering the admin, users, freezes, dead messages, and the audit of what is saved by hand."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Bill, Freeze, User
from audit.models import AuditEvent
from config.admin_index import SUMMARIES
from outbox.models import OutboxMessage
from outbox.services.rendering import render_message
from tests import factories as typed_factories
from tests.shown_forms import confirm_action, open_and_send

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db

USERS = "admin:accounts_user_changelist"
LIST_OF_FACTORS = reverse("admin:mfa_authenticator_changelist")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss() -> User:
    user: User = factories.UserFactory(staff=True)
    return user


@pytest.fixture
def superuser(boss: User) -> Client:
    return client_of(boss)


def act(client: Client, page: str, action: str, *objects: Any, **data: Any) -> Any:
    """Run an action on objects, confirmed unless the data says otherwise."""
    chosen = {"action": action, "_selected_action": [obj.pk for obj in objects]}
    return confirm_action(client, reverse(f"admin:{page}_changelist"), {**chosen, **data})


# --- entering


def test_visitor_is_redirected_to_the_log_in() -> None:
    answer = Client().get(reverse("admin:index"), follow=True)
    assert answer.redirect_chain[-1] == ("/account/login/?next=%2Fadmin%2F", 302)


@pytest.mark.parametrize("method", ["get", "post"])
def test_djangos_own_log_in_form_is_never_shown(method: str) -> None:
    customer = client_of(factories.UserFactory())
    data = {"username": "x", "password": "x"}
    assert getattr(customer, method)(reverse("admin:login"), data).status_code == 403
    assert getattr(Client(), method)(reverse("admin:login"), data).status_code == 302


def test_customer_may_not_enter() -> None:
    answer = client_of(factories.UserFactory()).get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403


def test_staff_needs_a_second_factor_outside_the_demo(boss: User, settings: Any) -> None:
    settings.DEMO = False
    client = client_of(boss)
    assert client.get(reverse("admin:index"), follow=True).status_code == 403
    Authenticator.objects.create(user=boss, type="totp", data={"secret": "x"})
    assert client.get(reverse("admin:index")).status_code == 200


def test_recovery_codes_alone_are_no_second_factor(boss: User, settings: Any) -> None:
    """The log-in asks for none of them where there is no app that they stand in for."""
    settings.DEMO = False
    Authenticator.objects.create(user=boss, type="recovery_codes", data={"seed": "x"})
    answer = client_of(boss).get(reverse("admin:index"), follow=True)
    assert answer.status_code == 403


def test_index_shows_the_provider_and_the_tools(superuser: Client) -> None:
    body = superuser.get(reverse("admin:index")).content.decode()
    assert f'<a href="/admin/">{settings.PROVIDER_NAME}</a>' in body
    assert reverse("admin:eligibility_preview") in body
    assert "<script>" not in body
    assert "<style" not in body


def test_index_begins_with_what_the_daily_work_is_about(superuser: Client) -> None:
    apps = superuser.get(reverse("admin:index")).context["app_list"]
    assert [app["app_label"] for app in apps][:3] == ["partners", "association", "accounts"]


def test_index_says_what_the_rows_of_each_table_are() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == SUMMARIES.keys()


@pytest.mark.parametrize(
    ("permission", "tool"),
    [
        ("view_auditevent", "Who did what, newest first"),
        ("view_outboxmessage", "E-mails that were refused or cannot be written"),
    ],
)
def test_index_offers_a_tool_only_with_its_permission(permission: str, tool: str) -> None:
    administrator = factories.UserFactory(is_staff=True)
    client = client_of(administrator)
    assert tool not in client.get(reverse("admin:index")).content.decode()
    administrator.user_permissions.add(Permission.objects.get(codename=permission))
    assert tool in client.get(reverse("admin:index")).content.decode()


def test_password_is_changed_on_the_accounts_page_only(superuser: Client) -> None:
    answer = superuser.get(reverse("admin:password_change"))
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_change_password"))


# --- users


def test_new_user_gets_an_email_and_no_password(superuser: Client, boss: User) -> None:
    path = reverse("admin:accounts_user_add")
    assert 'name="password' not in superuser.get(path).content.decode()
    answer = superuser.post(path, {"email": "New.Person@EXAMPLE.org", "language": ""})
    assert answer.status_code == 302
    user = User.objects.get(email="new.person@example.org")
    assert user.email_original == "New.Person@EXAMPLE.org"
    assert user.has_usable_password() is False
    assert OutboxMessage.objects.get().kind == "accounts.reset_link"
    events = AuditEvent.objects.order_by("pk").values_list("action", "actor", "object_id")
    assert list(events) == [
        ("user.added", boss.pk, str(user.pk)),
        ("user.reset_link_sent", boss.pk, str(user.pk)),
    ]


@pytest.mark.parametrize(
    "address", ["TAKEN@example.org", "a@localhost", "\u0131@example.org", "a\0@b.c"]
)
def test_user_with_an_invalid_address_is_not_created(superuser: Client, address: str) -> None:
    factories.UserFactory(email="taken@example.org")
    before = User.objects.count()
    answer = superuser.post(reverse("admin:accounts_user_add"), {"email": address})
    assert answer.status_code == 400
    assert User.objects.count() == before


def test_reset_link_is_sent_and_the_password_unchanged(superuser: Client) -> None:
    active, gone = factories.UserFactory(), factories.UserFactory(is_active=False)
    password = active.password
    act(superuser, "accounts_user", "send_reset_links", active, gone)
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("accounts.reset_link", active.email)
    active.refresh_from_db()
    assert active.password == password


def test_reset_link_is_written_without_a_secret() -> None:
    from outbox.services.rendering import render_message

    user = factories.UserFactory()
    now = timezone.now()
    message = OutboxMessage(
        kind="accounts.reset_link", recipient=user.email, language="en",
        about_label="accounts.user", about_id=user.pk, created_at=now, deadline_at=now,
    )  # fmt: skip
    mail = render_message(message)
    assert mail.subject == "Set a new password"
    assert f"{settings.PUBLIC_BASE_URL}{reverse('account_reset_password')}\n" in mail.text


def test_action_runs_only_after_confirmation(superuser: Client) -> None:
    user = factories.UserFactory()
    chosen = {"action": "send_reset_links", "_selected_action": user.pk}
    answer = superuser.post(reverse(USERS), chosen)
    assert answer.status_code == 200
    assert "The current password works until then." in answer.content.decode()
    assert OutboxMessage.objects.count() == 0


def test_only_a_superuser_gives_permissions() -> None:
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    client, other = client_of(staff), factories.UserFactory()
    data = {"is_superuser": "on", "is_staff": "on", "is_active": "on", "language": "en"}
    open_and_send(client, reverse("admin:accounts_user_change", args=[other.pk]), data)
    other.refresh_from_db()
    assert (other.language, other.is_staff, other.is_superuser) == ("en", False, False)
    boss = factories.UserFactory(staff=True)
    path = reverse("admin:accounts_user_change", args=[boss.pk])
    assert client.post(path, {"language": "en"}).status_code == 403


def test_change_of_a_user_is_audited_with_its_rights(superuser: Client, boss: User) -> None:
    user, right = factories.UserFactory(), Permission.objects.earliest("pk")
    data = {"language": "", "user_permissions": [right.pk]}
    open_and_send(superuser, reverse("admin:accounts_user_change", args=[user.pk]), data)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.before, event.after, event.network_address) == (
        "user.changed",
        boss,
        {"is_active": True, "user_permissions": []},
        {"is_active": False, "user_permissions": [right.pk]},
        "127.0.0.1",
    )


# --- facts and accounts


def test_saving_without_a_change_writes_no_event(superuser: Client) -> None:
    account = factories.CustomerAccountFactory()
    moment = account.registered_at.replace(microsecond=0)
    type(account).objects.update(registered_at=moment)
    data = {
        "account_type": "individual",
        "registration_site": "international",
        "country": "DE",
        "registered_at_0": moment.date().isoformat(),
        "registered_at_1": moment.time().isoformat(),
    }
    # What has a default now is compared with what the page showed, in hidden fields.
    data |= {f"initial-{name}": value for name, value in data.items()}
    path = reverse("admin:accounts_customeraccount_change", args=[account.pk])
    assert open_and_send(superuser, path, data).status_code == 302
    assert [event.after for event in AuditEvent.objects.all()] == []
    assert open_and_send(superuser, path, {**data, "country": "FR"}).status_code == 302
    event = AuditEvent.objects.get()
    assert (event.before, event.after) == ({"country": "DE"}, {"country": "FR"})


def test_deleted_fact_stays_in_the_audit_trail(superuser: Client) -> None:
    bill = factories.BillFactory(external_id="b-7")
    path = reverse("admin:accounts_bill_delete", args=[bill.pk])
    assert open_and_send(superuser, path, {"post": "yes"}).status_code == 302
    assert Bill.objects.count() == 0
    event: Any = AuditEvent.objects.get()
    assert event.action == "bill.deleted"
    assert (event.before["external_id"], event.before["amount"]) == ("b-7", "100.00")


def make_second_factor(user: User) -> Authenticator:
    Authenticator.objects.create(user=user, type="recovery_codes", data={"seed": "x"})
    return Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})


def delete_second_factor(client: Client, app: Authenticator) -> Any:
    path = reverse("admin:mfa_authenticator_delete", args=[app.pk])
    return open_and_send(client, path, {"post": "yes", "reason": "Lost the phone"})


def test_deleted_second_factor_takes_its_recovery_codes_and_tells_the_user(
    superuser: Client, boss: User
) -> None:
    user: User = factories.UserFactory()
    assert delete_second_factor(superuser, make_second_factor(user)).status_code == 302
    assert not Authenticator.objects.filter(user=user).exists()
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.actor) == (
        "user.second_factor_removed",
        str(user.pk),
        boss,
    )
    assert event.before == {"second_factors": ["recovery_codes", "totp"]}
    assert event.after == {"reason": "Lost the phone"}
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("accounts.second_factor_changed", user.email)
    said = f"{settings.PROVIDER_NAME} has turned off"
    email = render_message(message)
    assert said in email.text
    assert said in email.html


@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_page_that_deletes_a_second_factor_says_whose_and_which(
    superuser: Client, kind: str
) -> None:
    user: User = factories.UserFactory()
    make_second_factor(user)
    factor = Authenticator.objects.get(user=user, type=kind)
    page = superuser.get(reverse("admin:mfa_authenticator_delete", args=[factor.pk]))
    name = f"Second factors of {user}"
    assert page.context["title"] == name
    html = page.content.decode()
    question = html.index(f"Delete “{name}” for good? This is deleted:")
    codes, happens = html.index("<li>Recovery codes"), html.index("What will happen")
    assert question < codes < happens < html.index("The user gets an e-mail")
    assert "<li>TOTP Authenticator" in html
    assert delete_second_factor(superuser, factor)["Location"] == LIST_OF_FACTORS
    told = [str(one) for one in superuser.get(LIST_OF_FACTORS).context["messages"]]
    assert told == [f"The second factors of {user} are deleted. An e-mail tells the user."]


@pytest.mark.parametrize("power", ["is_staff", "is_superuser"])
def test_only_a_superuser_deletes_the_second_factor_of_an_administrator(
    superuser: Client, power: str
) -> None:
    helper = factories.UserFactory(is_staff=True)
    for codename in ("view_authenticator", "delete_authenticator"):
        helper.user_permissions.add(Permission.objects.get(codename=codename))
    app = make_second_factor(factories.UserFactory(**{power: True}))
    assert delete_second_factor(client_of(helper), app).status_code == 403
    assert Authenticator.objects.count() == 2
    assert delete_second_factor(superuser, app).status_code == 302
    other = make_second_factor(factories.UserFactory())
    assert delete_second_factor(client_of(helper), other).status_code == 302


def test_provider_freezes_and_unfreezes(superuser: Client, boss: User) -> None:
    account = factories.CustomerAccountFactory()
    page = "accounts_customeraccount"
    answer = act(superuser, page, "freeze_for_provider", account, scope="account", reason="")
    assert answer.status_code == 400
    act(superuser, page, "freeze_for_provider", account, scope="account", reason="Fraud")
    freeze = Freeze.objects.get()
    assert (freeze.cause, freeze.reason, freeze.frozen_by) == ("administrator", "Fraud", boss)
    factories.FreezeFactory(account=account)
    act(superuser, page, "unfreeze_for_provider", account, reason="Cleared")
    assert [f.cause for f in Freeze.objects.open()] == ["association"]


# --- messages


def test_dead_message_is_sent_again_and_no_other(superuser: Client) -> None:
    now = timezone.now()
    common = {
        "kind": "accounts.registered", "recipient": "a@example.org", "language": "en",
        "about_label": "accounts.user", "about_id": "1", "created_at": now,
        "deadline_at": now - timedelta(days=1), "next_try_at": now, "tries": 9,
    }  # fmt: skip
    dead = OutboxMessage.objects.create(**common, message_id="<1@x>", dead_at=now)
    sent = OutboxMessage.objects.create(**common, message_id="<2@x>", sent_at=now)
    act(superuser, "outbox_outboxmessage", "send_again", dead, sent)
    dead.refresh_from_db()
    sent.refresh_from_db()
    assert (dead.dead_at, dead.tries, dead.message_id) == (None, 0, "<1@x>")
    assert dead.deadline_at > now
    assert (sent.sent_at, sent.tries) == (now, 9)
    assert AuditEvent.objects.get().action == "message.revived"


@pytest.mark.parametrize("typed", ["Sub-4711", "sub-47", "711-EU", "Hafenkontor", "kontor"])
def test_account_is_found_by_a_part_of_its_name_or_external_id(
    superuser: Client, typed: str
) -> None:
    found = factories.CustomerAccountFactory(name="Hafenkontor", external_id="Sub-4711-eu")
    factories.CustomerAccountFactory(name="Other", external_id="Sub-4800")
    page = superuser.get(reverse("admin:accounts_customeraccount_changelist"), {"q": typed})
    assert [row.pk for row in page.context["cl"].result_list] == [found.pk]

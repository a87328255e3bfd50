"""The console's activity: what members did, for the administrators of their partner only."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeScope
from association.activity_words import WORDS
from association.services.customers import freeze_customer
from association.services.endings import end_association
from audit.models import AuditEvent
from audit.services import acting_for, record_audit_event
from integration.services.endpoints import create_endpoint
from integration.services.keys import create_key
from partners.models import PartnerMember
from tests.conventions.sources import modules
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_forms import open_and_send

pytestmark = pytest.mark.django_db
NOW = timezone.now()
HOOK = "https://hooks.example.com/partner"
ACTIVITY = "/partner/activity/"
TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
# What members never do, or what is done without them.
NOT_BY_MEMBERS = {
    "account.enabled",
    "association.made",
    "association.names_removed",
    "attempt.deleted",
    "authorization.granted",
    "batch.finished",
    "budget_request.made",
    "document.published",
    "invitation.recipient_removed",
    "invitation_request.opened",
    "member_invitation.address_removed",
    "partner.added",
    "partner.frozen",
    "partner.unfrozen",
    "partner_member.added",
    "spending.recorded",
    "user.erased",
}
ACTION = re.compile(r'action="([a-z_]+\.[a-z_]+)"')


def client_of(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def console(boss):
    return client_of(boss.user)


@pytest.fixture
def invitation(boss):
    return InvitationFactory.create(partner=boss.partner, created_by=boss.user, label="Spring")


def revoke(console, invitation):
    return console.post(f"/partner/invitations/{invitation.pk}/revoke")


def rows_of(page):
    return [(row["words"], row["name"], row["who"], row["url"]) for row in page.context["rows"]]


@pytest.mark.parametrize("rows", [1, 3])
def test_page_has_constant_queries(boss, console, rows, django_assert_num_queries):
    for offer in InvitationFactory.create_batch(rows, partner=boss.partner):
        revoke(console, offer)
    with django_assert_num_queries(8):
        page = console.get(ACTIVITY)
    assert len(page.context["rows"]) == rows


def test_what_a_member_does_is_shown_with_name_and_link(boss, console, invitation):
    revoke(console, invitation)
    assert rows_of(console.get(ACTIVITY)) == [
        ("Invitation revoked", "Spring", boss.user.email, f"/partner/invitations/{invitation.pk}/")
    ]
    content = console.get(ACTIVITY).content.decode()
    assert "Invitation revoked" in content
    assert "invitation.revoked" not in re.sub(r"<option.*?</option>", "", content)


def test_page_is_for_administrators_of_the_partner(boss, console, invitation):
    revoke(console, invitation)
    manager = PartnerMemberFactory.create(partner=boss.partner)
    other = PartnerMemberFactory.create(administrator=True)
    assert client_of(manager.user).get(ACTIVITY).status_code == 404
    assert client_of(UserFactory.create()).get(ACTIVITY).status_code == 404
    assert Client(SERVER_NAME="127.0.0.1").get(ACTIVITY).status_code == 302
    assert rows_of(client_of(other.user).get(ACTIVITY)) == []
    about = {"about": f"partners.invitation:{invitation.pk}"}
    assert rows_of(client_of(other.user).get(ACTIVITY, about)) == []


def test_what_is_done_elsewhere_or_by_the_provider_is_no_activity(boss, console, invitation):
    client_of(boss.user).post("/account/settings/", {"account_name": "another.name"})
    freeze_customer(
        association=make_associated(invitation=invitation),
        scope="account",
        reason="Late",
        by=boss.user,
        now=timezone.now(),
    )
    assert AuditEvent.objects.filter(actor=boss.user).count() >= 2
    assert rows_of(console.get(ACTIVITY)) == []


def test_former_members_stay_and_what_they_do_for_another_partner_does_not_show(boss, console):
    former = PartnerMemberFactory.create(administrator=True, partner=boss.partner)
    first = InvitationFactory.create(partner=boss.partner, label="First")
    revoke(client_of(former.user), first)
    user = former.user
    PartnerMember.objects.filter(pk=former.pk).delete()
    new = PartnerMemberFactory.create(administrator=True, user=user)
    revoke(client_of(user), InvitationFactory.create(partner=new.partner, label="Second"))
    assert [row[1:3] for row in rows_of(console.get(ACTIVITY))] == [("First", user.email)]


def test_customers_actions_lead_to_the_customer(boss, console, invitation):
    customer = make_associated(invitation=invitation)
    typed = {**TERMS, "unfreeze": "on", "reason": "Paid"}
    open_and_send(console, f"/partner/customers/{customer.pk}/budget", typed)
    rows = rows_of(console.get(ACTIVITY))
    page = f"/partner/customers/{customer.pk}/"
    assert set(rows) == {
        ("Budget set", customer.shown_name, boss.user.email, page),
        ("Freeze ended", customer.shown_name, boss.user.email, page),
    }
    revoke(console, invitation)
    about = console.get(ACTIVITY, {"about": f"association.association:{customer.pk}"})
    assert rows_of(about) == rows


def test_freeze_of_who_joined_twice_leads_to_the_later_association(boss, console, invitation):
    first = make_associated(invitation=invitation, now=NOW - timedelta(hours=2))
    staff = UserFactory.create(is_superuser=True, is_staff=True)
    end_association(association=first, reason="Moves", by=staff, now=NOW - timedelta(hours=1))
    online = InvitationFactory.create(partner=boss.partner, email=True, is_bound=False)
    second = make_associated(invitation=online, account=first.account, now=NOW)
    with acting_for(boss.partner_id, boss.user):
        freeze_customer(
            association=second, scope=FreezeScope.ACCOUNT, reason="Late", by=boss.user, now=NOW
        )
    assert [row[3] for row in rows_of(console.get(ACTIVITY))] == [
        f"/partner/customers/{second.pk}/"
    ]


def test_action_on_many_rows_is_named_and_leads_to_its_result(boss, console, invitation):
    customer = make_associated(invitation=invitation)
    pages = {}
    for path, row, typed in (
        ("/partner/invitations/bulk/", invitation, {"action": "revoke"}),
        ("/partner/customers/bulk/", customer, {"action": "freeze"}),
    ):
        # The first is left on the page that confirms it.
        for _ in range(2):
            page = console.post(path, {**typed, "row": row.pk})["Location"]
        console.post(page, {"scope": "account", "reason": "Moved"})
        pages[typed["action"]] = page
    found = [row for row in rows_of(console.get(ACTIVITY)) if "many rows" in row[0]]
    started, who = "Action on many rows started", boss.user.email
    assert found == [
        (started, "Freeze 1 customer", who, pages["freeze"]),
        (started, "Revoke 1 invitation", who, pages["revoke"]),
    ]


def test_filters_by_member_action_and_day(boss, console, invitation):
    colleague = PartnerMemberFactory.create(administrator=True, partner=boss.partner)
    revoke(console, invitation)
    other = InvitationFactory.create(partner=boss.partner, label="Autumn")
    typed = {"label": "Winter", "expiry": "keep"}
    theirs = client_of(colleague.user)
    open_and_send(theirs, f"/partner/invitations/{other.pk}/edit", typed)
    today, tomorrow = timezone.now().date(), timezone.now().date() + timedelta(days=1)

    def names(**query):
        return [row[1] for row in rows_of(console.get(ACTIVITY, query))]

    assert names() == ["Winter", "Spring"]
    assert names(member=colleague.pk) == ["Winter"]
    assert names(action="invitation.revoked") == ["Spring"]
    assert names(since=today.isoformat(), until=today.isoformat()) == ["Winter", "Spring"]
    assert names(since=tomorrow.isoformat()) == []


@pytest.mark.parametrize(
    "query",
    [
        {"action": "no.such"},
        {"member": "1"},
        {"since": "yesterday"},
        {"since": "2030-01-02", "until": "2030-01-01"},
        {"about": "x"},
        {"about": "a.b:\0"},
    ],
)
def test_unknown_filters_are_errors_of_the_form(console, query):
    page = console.get(ACTIVITY, query)
    assert page.status_code == 400
    assert list(page.context["form"].errors)


@pytest.mark.parametrize(
    "key", ["1", "-", "abc-1", "9" * 36, "00000000-0000-0000-0000-000000000000"]
)
def test_unknown_objects_have_no_activity(console, key):
    for label in ("association.association", "partners.invitation", "no.such"):
        assert rows_of(console.get(ACTIVITY, {"about": f"{label}:{key}"})) == []


def test_pages_follow_each_other(boss, console):
    for offer in InvitationFactory.create_batch(27, partner=boss.partner):
        revoke(console, offer)
    first = console.get(ACTIVITY)
    second = console.get(ACTIVITY, {"after": first.context["listing"].page.after})
    assert (len(first.context["rows"]), len(second.context["rows"])) == (25, 2)


def test_object_that_is_gone_is_shown_without_a_link(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    open_and_send(console, f"/partner/members/{manager.pk}/edit", {"role": "administrator"})
    console.post(f"/partner/members/{manager.pk}/remove")
    endpoint, _secret = create_endpoint(partner=boss.partner, url=HOOK, by=boss.user, now=NOW)
    console.post(f"/partner/webhooks/{endpoint.pk}/delete")
    page = console.get(ACTIVITY)
    assert [row[:2] + row[3:] for row in rows_of(page)] == [
        ("Webhook endpoint deleted", "hooks.example.com", ""),
        ("Member removed", manager.user.masked_email, ""),
        ("Member’s role or rights changed", manager.user.masked_email, ""),
    ]
    assert page.content.decode().count("removed since") == 3
    about = {"about": f"partners.partnermember:{manager.pk}"}
    assert len(rows_of(console.get(ACTIVITY, about))) == 2


def test_keys_and_endpoints_have_name_and_link(boss, console):
    with acting_for(boss.partner_id, boss.user):
        endpoint, _secret = create_endpoint(partner=boss.partner, url=HOOK, by=boss.user, now=NOW)
        expires_at = NOW + timedelta(days=9)
        terms = {"name": "Billing", "scopes": ["customers:read"], "expires_at": expires_at}
        create_key(partner=boss.partner, by=boss.user, now=NOW, **terms)
    page = console.get(ACTIVITY)
    assert {row[:2] + row[3:] for row in rows_of(page)} == {
        ("API key made", "Billing", "/partner/api-keys/"),
        ("Webhook endpoint made", "hooks.example.com", f"/partner/webhooks/{endpoint.pk}"),
    }
    assert "removed since" not in page.content.decode()


def test_only_the_member_acts_for_the_partner(boss):
    actors = {None: None, UserFactory.create(): None, boss.user: boss.partner_id}
    with acting_for(boss.partner_id, boss.user):
        events = [
            record_audit_event(action="x.changed", about=boss, by=by, now=timezone.now())
            for by in actors
        ]
    after = record_audit_event(action="x.changed", about=boss, by=boss.user, now=timezone.now())
    assert [event.acted_for for event in events] == list(actors.values())
    assert after.acted_for is None


def test_every_action_of_members_has_words():
    sources = [
        path.read_text()
        for path in modules()
        if re.search(r"(partners|association)/services/", str(path))
    ]
    found = {action for source in sources for action in ACTION.findall(source)}
    assert found - WORDS.keys() - NOT_BY_MEMBERS == set()
    assert len(found) > 20


def test_inviting_a_member_does_not_tell_whether_the_address_was_new(console):
    known = UserFactory.create()
    for address in (known.email, "new@example.org"):
        answer = console.post("/partner/members/invite", {"address": address, "role": "manager"})
        assert answer.status_code == 303
    assert AuditEvent.objects.filter(action="user.added").exists()

    rows = console.get(ACTIVITY).context["rows"]

    assert [str(row["words"]) for row in rows] == ["Member invited"] * 2

"""Partners and invitations in the admin: by the services, with an event each."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import Invitation, Partner, PartnerMember
from tests import factories as typed_factories
from tests.shown_forms import open_and_send

# mypy takes a factory for the object that it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(factories.UserFactory(staff=True))
    return client


def invitation_form(partner: Partner, **fields: Any) -> dict[str, Any]:
    return {
        "partner": partner.pk,
        "channel": "link",
        "association_type": "reseller",
        "label": "Spring",
        "note": "",
        **fields,
    }


def test_partner_is_made_and_changed_with_an_event(superuser: Client) -> None:
    data = {
        "name": "North", "slug": "north", "legal_name": "North Ltd.", "country": "IE",
        "support_email": "help@north.example", "time_zone": "Europe/Dublin",
        "csv_separator": "comma", "allows_reseller": "on", "administrator": "ada@north.example",
    }  # fmt: skip
    assert superuser.post(reverse("admin:partners_partner_add"), data).status_code == 302
    partner = Partner.objects.get()
    path = reverse("admin:partners_partner_change", args=[partner.pk])
    changed_data = {**data, "slug": "south", "time_zone": "UTC", "allows_referral": "on"}
    open_and_send(superuser, path, changed_data)
    # Programs of the provider find the partner by it.
    assert Partner.objects.get().slug == "north"
    about = AuditEvent.objects.filter(object_label="partners.partner")
    added, changed = about.order_by("pk")
    assert (added.action, added.after["name"]) == ("partner.added", "North")
    assert (changed.before, changed.after) == (
        {"time_zone": "Europe/Dublin", "allows_referral": False},
        {"time_zone": "UTC", "allows_referral": True},
    )


def test_link_is_made_by_the_service(superuser: Client) -> None:
    data = invitation_form(factories.PartnerFactory(), max_uses="5")
    answer = superuser.post(reverse("admin:partners_invitation_add"), data)
    assert answer.status_code == 302
    invitation = Invitation.objects.get()
    assert (invitation.max_uses, invitation.is_bound, len(invitation.token)) == (5, False, 26)
    assert AuditEvent.objects.get().action == "invitation.created"


def test_email_invitation_is_bound_by_choice_and_mailed(superuser: Client) -> None:
    data = invitation_form(
        factories.PartnerFactory(), channel="email", recipient="Buyer@Example.org", is_bound="on"
    )
    superuser.post(reverse("admin:partners_invitation_add"), data)
    invitation = Invitation.objects.get()
    assert (invitation.recipient, invitation.max_uses, invitation.is_bound) == (
        "buyer@example.org",
        1,
        True,
    )
    assert OutboxMessage.objects.get().kind == "partners.invitation"


@pytest.mark.parametrize(
    "fields",
    [
        {"max_uses": "0"},
        {"max_uses": "-1"},
        {"max_uses": "1.5"},
        {"max_uses": str(2**31)},
        {"max_uses": str(2**63)},
        {"expires_at_0": "2020-01-01", "expires_at_1": "00:00"},
        {"expires_at_0": "99999-01-01", "expires_at_1": "00:00"},
        {"recipient": "a@example.org"},
        {"channel": "email"},
        {"channel": "email", "recipient": "a@localhost"},
        {"association_type": "referral"},
        {"association_type": "other"},
        {"label": ""},
        {"label": "a\0b"},
        {"note": "x" * 501},
        {"partner": "\0"},
        {"country": "XX"},
    ],
    ids=str,
)
def test_impossible_invitation_is_not_made(superuser: Client, fields: dict[str, str]) -> None:
    partner = factories.PartnerFactory(reseller_only=True)
    data = {**invitation_form(partner), **fields}
    assert superuser.post(reverse("admin:partners_invitation_add"), data).status_code == 400
    assert (Invitation.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_invitation_of_a_frozen_partner_is_not_made(superuser: Client) -> None:
    data = invitation_form(factories.PartnerFactory(frozen=True))
    answer = superuser.post(reverse("admin:partners_invitation_add"), data, follow=True)
    assert "The partner is frozen and cannot invite." in answer.content.decode()
    assert Invitation.objects.count() == 0


def test_live_invitation_is_edited_and_keeps_its_token(superuser: Client) -> None:
    invitation = factories.InvitationFactory(used_count=2, max_uses=3)
    path = reverse("admin:partners_invitation_change", args=[invitation.pk])
    token = invitation.token
    data = {"label": "Autumn", "note": "", "max_uses": "9", "token": "x", "partner": "0"}
    assert open_and_send(superuser, path, data).status_code == 302
    invitation.refresh_from_db()
    assert (invitation.label, invitation.max_uses, invitation.token) == ("Autumn", 9, token)
    assert AuditEvent.objects.get().action == "invitation.edited"
    assert open_and_send(superuser, path, {**data, "max_uses": "1"}).status_code == 400
    invitation.refresh_from_db()
    assert invitation.max_uses == 9


@pytest.mark.parametrize("state", ["expired", "revoked", "used_up"])
def test_dead_invitation_is_only_shown(superuser: Client, state: str) -> None:
    invitation = factories.InvitationFactory(**{state: True}, label="Before")
    path = reverse("admin:partners_invitation_change", args=[invitation.pk])
    superuser.post(path, {"label": "After", "note": ""})
    invitation.refresh_from_db()
    assert invitation.label == "Before"


def test_revoking_is_final_and_idempotent(superuser: Client) -> None:
    invitation = factories.InvitationFactory()
    data = {"action": "revoke", "_selected_action": invitation.pk}
    path = reverse("admin:partners_invitation_changelist")
    assert "This is final." in superuser.post(path, data).content.decode()
    assert superuser.post(path, {**data, "confirmed": "1"}).status_code == 400
    superuser.post(path, {**data, "confirmed": "1", "reason": "Wrong price"})
    superuser.post(path, {**data, "confirmed": "1", "reason": "Again"})
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None
    event = AuditEvent.objects.get()
    moment = invitation.revoked_at.isoformat()
    assert (event.action, event.after) == (
        "invitation.revoked",
        {"revoked_at": moment, "reason": "Wrong price"},
    )


@pytest.mark.parametrize("state", ["live", "expired", "used_up", "revoked"])
def test_state_filter_says_what_the_model_says(superuser: Client, state: str) -> None:
    now = timezone.now()
    rows = [
        factories.InvitationFactory(label="is-live"),
        factories.InvitationFactory(label="is-expired", expires_at=now - timedelta(days=1)),
        factories.InvitationFactory(label="is-used_up", used_up=True, expired=True),
        factories.InvitationFactory(label="is-revoked", revoked=True, used_up=True),
    ]
    answer = superuser.get(reverse("admin:partners_invitation_changelist"), {"state": state})
    shown = [row.label for row in answer.context["cl"].result_list]
    assert shown == [f"is-{state}"]
    refusals = {row.refusal(now) for row in rows if row.label == shown[0]}
    assert refusals == {None if state == "live" else f"invitation_{state}"}


def test_member_stays_with_their_user_and_partner(superuser: Client) -> None:
    member, other = factories.PartnerMemberFactory(), factories.PartnerFactory()
    path = reverse("admin:partners_partnermember_change", args=[member.pk])
    open_and_send(superuser, path, {"partner": other.pk, "role": "administrator"})
    stored = PartnerMember.objects.get()
    assert (stored.partner, stored.role) == (member.partner, "administrator")


def test_member_is_added_changed_and_removed_by_the_services(superuser: Client) -> None:
    partner, user = factories.PartnerFactory(), factories.UserFactory()
    data = {"partner": partner.pk, "user": user.pk, "role": "manager"}
    superuser.post(reverse("admin:partners_partnermember_add"), data)
    member = PartnerMember.objects.get()
    path = reverse("admin:partners_partnermember_change", args=[member.pk])
    open_and_send(superuser, path, {"role": "manager", "may_see_addresses": "on"})
    association = factories.make_associated(invitation=factories.InvitationFactory(partner=partner))
    type(association).objects.update(manager=member)
    path = reverse("admin:partners_partnermember_delete", args=[member.pk])
    rejected = open_and_send(superuser, path, {"post": "yes", "reason": " "})
    assert (rejected.status_code, PartnerMember.objects.count()) == (400, 1)
    assert "This field is required." in rejected.content.decode()
    open_and_send(superuser, path, {"post": "yes", "reason": "Has left the partner"})
    association.refresh_from_db()
    assert (PartnerMember.objects.count(), association.manager) == (0, None)
    events = AuditEvent.objects.filter(object_label="partners.partnermember").order_by("pk")
    assert [event.action for event in events] == [
        "partner_member.added",
        "partner_member.changed",
        "partner_member.deleted",
    ]
    assert events[2].after == {"reason": "Has left the partner"}


def test_last_administrator_is_neither_demoted_nor_removed(superuser: Client) -> None:
    member = factories.PartnerMemberFactory(administrator=True)
    for page, data in (("change", {"role": "manager"}), ("delete", {"post": "yes", "reason": "x"})):
        path = reverse(f"admin:partners_partnermember_{page}", args=[member.pk])
        answer = open_and_send(superuser, path, data, follow=True)
        assert "A partner keeps at least one administrator." in answer.content.decode()
    assert PartnerMember.objects.get().role == "administrator"
    assert not AuditEvent.objects.exists()


def test_customer_does_not_become_a_member(superuser: Client) -> None:
    association, partner = factories.make_associated(), factories.PartnerFactory()
    data = {"user": association.account.owner_id, "partner": partner.pk, "role": "manager"}
    path = reverse("admin:partners_partnermember_add")

    assert superuser.post(path, data).status_code == 302

    assert not PartnerMember.objects.filter(user=association.account.owner).exists()
    assert not AuditEvent.objects.filter(action="partner_member.added").exists()

"""The administrator's desk: what waits, searching, titles, previews, and a new partner."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from association.models import LegalDocument
from audit.models import AuditEvent
from config.waiting import failing_checks
from outbox.models import OutboxMessage
from partners.models import MemberInvitation, Partner
from tests import factories as typed_factories
from tests.reading_mails import write
from tests.tables import tables

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(factories.UserFactory(staff=True, email="boss@provider.example"))
    return client


def staff_with(*names: str) -> Client:
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(staff)
    return client


def found(client: Client, page: str, **query: Any) -> list[Any]:
    answer = client.get(reverse(f"admin:{page}_changelist"), query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


# --- a new partner


def new_partner(**fields: Any) -> dict[str, Any]:
    return {
        "name": "North", "slug": "north", "legal_name": "North Ltd.", "country": "IE",
        "support_email": "help@north.example", "time_zone": "Europe/Dublin",
        "allows_reseller": "on", "administrator": "Ada@North.example", **fields,
    }  # fmt: skip


def add_partner(client: Client, **fields: Any) -> Any:
    return client.post(reverse("admin:partners_partner_add"), new_partner(**fields))


def test_partner_is_made_with_its_first_administrator(superuser: Client) -> None:
    assert add_partner(superuser).status_code == 302
    partner = Partner.objects.get()
    asked = MemberInvitation.objects.get()
    assert (asked.partner, asked.address, asked.role) == (
        partner,
        "ada@north.example",
        "administrator",
    )
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["partner.added", "user.added", "member_invitation.made"]
    message = OutboxMessage.objects.get()
    assert (message.kind, message.recipient) == ("partners.member_invitation", asked.address)


@pytest.mark.parametrize("address", ["", "ada", "ada@", "a@b@c.example", "ada @north.example"])
def test_partner_is_not_made_with_a_wrong_address(superuser: Client, address: str) -> None:
    answer = add_partner(superuser, administrator=address)
    assert answer.status_code == 400
    assert "help@north.example" in answer.content.decode()
    assert Partner.objects.count() == OutboxMessage.objects.count() == 0


def test_person_of_another_partner_is_no_first_administrator(superuser: Client) -> None:
    member = factories.PartnerMemberFactory()
    answer = add_partner(superuser, administrator=member.user.email)
    assert answer.status_code == 400
    assert "acts for a partner already" in answer.content.decode()
    assert Partner.objects.count() == 1


def test_partner_is_not_made_when_the_service_refuses(superuser: Client) -> None:
    for number in range(3):
        assert add_partner(superuser, slug=f"north-{number}").status_code == 302
    add_partner(superuser, slug="one-too-many")
    assert not Partner.objects.filter(slug="one-too-many").exists()
    assert not AuditEvent.objects.filter(after__slug="one-too-many").exists()


def test_email_to_the_administrator_names_partner_console_and_provider(
    superuser: Client, settings: Any
) -> None:
    add_partner(superuser)
    sent = write("partners.member_invitation", MemberInvitation.objects.get())
    assert sent.subject == f"North invites you to its console on {settings.PROVIDER_NAME}"
    for text in (sent.text, sent.html):
        assert f"{settings.PROVIDER_NAME} invites you." in text
        assert "boss@provider.example" not in text


def test_adding_a_partner_needs_the_permission() -> None:
    assert add_partner(staff_with("view_partner", "change_partner")).status_code == 403
    assert Partner.objects.count() == 0


# --- a document before it is published


def make_draft(**fields: Any) -> LegalDocument:
    values = {"kind": "instructions", "language": "en", "version": 99, "title": "Rules of tomorrow"}
    return LegalDocument.objects.create(**{**values, "body": "## Part\n\n*New* text", **fields})


def test_draft_is_previewed_as_readers_will_see_it(superuser: Client) -> None:
    path = reverse("admin:document_preview", args=[make_draft().pk])
    before = tables()
    answer = superuser.get(path)
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "<em>New</em> text" in body
    assert "is a draft" in body
    assert tables() == before
    assert superuser.post(path).status_code == 405


def test_preview_is_linked_and_needs_the_permission(superuser: Client) -> None:
    draft = make_draft()
    path = reverse("admin:document_preview", args=[draft.pk])
    form = superuser.get(reverse("admin:association_legaldocument_change", args=[draft.pk]))
    assert f'href="{path}"' in form.content.decode()
    assert staff_with("view_partner").get(path).status_code == 403
    assert staff_with("view_legaldocument").get(path).status_code == 200
    for nothing in (0, 10**30):
        path = reverse("admin:document_preview", args=[nothing])
        assert superuser.get(path).status_code == 404


# --- what waits


def waiting(client: Client) -> list[str]:
    return [str(line.text) for line in client.get(reverse("admin:index")).context["waiting"]]


def test_first_page_names_what_waits_for_those_who_may_see_it(superuser: Client) -> None:
    failing_checks.cache_clear()
    assert [line for line in waiting(superuser) if "partner" in line or "mail" in line] == []
    factories.PartnerFactory()
    now = timezone.now()
    values = {
        "kind": "accounts.registered", "recipient": "mailed@example.org", "language": "en",
        "deadline_at": now, "about_label": "accounts.user", "about_id": "1",
    }  # fmt: skip
    late = now - timedelta(hours=1)
    for number, dead_at in enumerate([None, now, now - timedelta(days=40)]):
        OutboxMessage.objects.create(
            message_id=f"<{number}>", created_at=late, next_try_at=late, dead_at=dead_at, **values
        )
    partners, mails = (
        ["1 partner without an administrator"],
        [
            "E-mails are late: is the worker running?",
            "1 e-mail of the last 30 days is dead: refused, or it cannot be written",
        ],
    )
    assert set(partners + mails) <= set(waiting(superuser))
    assert waiting(staff_with("view_partner")) == partners
    assert waiting(staff_with("view_outboxmessage")) == mails
    assert waiting(staff_with("view_bill")) == []


def test_first_page_names_failing_checks_for_superusers(
    superuser: Client, settings: Any, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(failing_checks.cache_clear)
    failing_checks.cache_clear()
    settings.PUBLIC_BASE_URL = "https://customers.example.com/a/path"
    sentence = "PUBLIC_BASE_URL is not scheme, host and optional port alone."
    assert f"partners.E001: {sentence}" in waiting(superuser)
    assert waiting(staff_with("view_bill")) == []


def test_partners_without_administrator_are_listed(superuser: Client) -> None:
    alone = factories.PartnerFactory()
    factories.PartnerMemberFactory(partner=alone, role="manager")
    factories.PartnerMemberFactory(role="administrator")
    assert found(superuser, "partners_partner", state="no_administrator") == [alone]


# --- searching


def test_link_or_token_finds_invitation_attempts_and_customers(superuser: Client) -> None:
    association = typed_factories.make_associated()
    typed_factories.make_associated()
    invitation = association.invitation
    for typed in (invitation.link, invitation.token, invitation.grouped_token):
        assert found(superuser, "partners_invitation", q=typed) == [invitation]
        assert found(superuser, "association_attempt", q=typed) == [association.attempt]
        assert found(superuser, "association_association", q=typed) == [association]


def test_name_and_address_find_customer_account_and_partner(superuser: Client) -> None:
    association = typed_factories.make_associated()
    typed_factories.make_associated()
    account, partner = association.account, association.partner
    account.name = "Bärenhof Logistik"
    account.save()
    assert found(superuser, "accounts_customeraccount", q="hof log") == [account]
    for typed in (account.owner.email.upper(), association.shown_name[:8].upper()):
        assert association in found(superuser, "association_association", q=typed)
    Partner.objects.filter(pk=partner.pk).update(support_email="unique@help.example")
    assert found(superuser, "partners_partner", q="Unique@help.example") == [partner]


# --- titles


def test_titles_say_what_an_object_is(superuser: Client) -> None:
    association: Any = typed_factories.make_associated(letter=True)
    rows = [
        association, association.attempt, association.account.freezes.get(),
        association.authorizations.first(), association.account.consents.first(),
    ]  # fmt: skip
    for row in rows:
        path = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
        answer = superuser.get(path)
        assert str(row) in answer.context["subtitle"]
        assert str(row.pk) not in str(row).split()
        assert "All moments on this page are in UTC" in answer.content.decode()
    named = f"{association.shown_name} – {association.get_association_type_display()}"
    assert str(association) == named


def test_history_of_an_object_cannot_be_edited(superuser: Client) -> None:
    event = AuditEvent.objects.create(
        occurred_at=timezone.now(), action="partner.added", object_label="partners.partner",
        object_id="1", actor=User.objects.first(),
    )  # fmt: skip
    page = reverse("admin:audit_auditevent_change", args=[event.pk])
    assert superuser.get(page).context["buttons"] == []
    assert superuser.post(page, {"action": "x"}).status_code == 403

"""What an operator asks the admin about one account, request, partner or document."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from association.models import LegalDocument
from association.services.customers import set_budget
from association.services.provider_freezes import freeze_for_provider
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import BudgetPeriod, OnExhaustion
from partners.models import BulkAction, BulkActionRow, MemberInvitation, Partner
from tests import factories as typed_factories
from tests.shown_forms import confirm_action, open_and_send
from web.moments import moment_text

factories: Any = typed_factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Any:
    return factories.UserFactory(staff=True, email="boss@cloud.example")


@pytest.fixture
def superuser(boss: Any) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def change_page(obj: Any) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def list_page(model: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def opened(client: Client, obj: Any) -> Any:
    answer = client.get(change_page(obj))
    assert answer.status_code == 200
    return answer


def status(client: Client, obj: Any) -> list[tuple[str, str]]:
    return [(str(line.text), line.url) for line in opened(client, obj).context["status"]]


def lines(client: Client, obj: Any, title: str) -> list[str]:
    sections = opened(client, obj).context["sections"]
    [section] = [one for one in sections if str(one.title) == title]
    return [" · ".join(map(str, [line.text, *line.details])) for line in section.lines]


def buttons(client: Client, obj: Any) -> list[str]:
    return [name for name, _label in opened(client, obj).context["buttons"]]


def consequences(client: Client, obj: Any, action: str) -> list[str]:
    chosen = {"action": action, "_selected_action": obj.pk}
    [(_key, _name, facts)] = client.post(list_page(obj), chosen).context["objects"]
    return [str(fact) for fact in facts]


# --- my account is frozen, why?


def test_account_says_above_all_who_froze_it_why_and_where_that_is_lifted(
    superuser: Client, boss: Any
) -> None:
    association = typed_factories.make_associated()
    account, now = association.account, timezone.now()
    freeze_for_provider(account=account, scope="account", reason="Fraud", by=boss, now=now)
    joined, provider = account.freezes.order_by("frozen_at", "pk")
    since = f"Frozen since {moment_text(joined.frozen_at)}: association with a reseller partner"
    by_provider = f"Frozen since {moment_text(provider.frozen_at)}: decision of the provider"
    assert status(superuser, account) == [
        (account.owner.email, change_page(account.owner)),
        (
            f"Customer of {association.partner}, since {moment_text(association.associated_at)}",
            change_page(association),
        ),
        (
            f"{since} (automatically, on joining). Lift it on the page of the association.",
            change_page(association),
        ),
        (f"{by_provider} ({boss.account_name}): “Fraud”. The button below lifts it.", ""),
    ]
    free = factories.CustomerAccountFactory()
    assert status(superuser, free)[1:] == [("Not frozen", "")]


def test_account_shows_its_budget_and_the_emails_to_its_owner(superuser: Client) -> None:
    association = typed_factories.make_associated()
    set_budget(
        association=association, amount=Decimal(7), period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE, by=None, now=timezone.now(),
    )  # fmt: skip
    [budget] = lines(superuser, association.account, "Budgets")
    assert budget.startswith("7.00 · monthly · ")
    [email] = lines(superuser, association.account, "E-mails to the address")
    assert email.startswith("association.associated ")
    assert lines(superuser, association, "All e-mails to the customer") == [email]


# --- end requests


def test_end_request_says_when_and_why_it_cannot_be_answered_yet(superuser: Client) -> None:
    association, now = typed_factories.make_associated(), timezone.now()
    values = {"asking_side": "customer", "reason": "Too dear"}
    waiting = association.end_requests.create(asked_at=now, **values)
    page = opened(superuser, waiting).content.decode()
    until = moment_text(now + timedelta(days=14))
    assert f"The other side has time to answer until {until}." in page
    assert str(association.partner) in page
    assert buttons(superuser, waiting) == []
    type(waiting).objects.update(asked_at=now - timedelta(days=15))
    assert "Yes, with the buttons above." in opened(superuser, waiting).content.decode()


@pytest.mark.parametrize(
    ("traits", "sentence"),
    [
        ({}, "From then on the provider bills the customer."),
        ({"referral": True}, "The provider goes on billing the customer."),
    ],
)
def test_who_bills_after_the_end_depends_on_the_type(
    superuser: Client, traits: dict[str, bool], sentence: str
) -> None:
    invitation = factories.InvitationFactory(**traits)
    association = typed_factories.make_associated(invitation=invitation)
    asked_at = timezone.now() - timedelta(days=15)
    request = association.end_requests.create(
        asking_side="customer", reason="Too dear", asked_at=asked_at
    )
    assert consequences(superuser, association, "end") == [sentence]
    assert consequences(superuser, request, "agree") == [sentence]


# --- partners and their people


def test_partner_offers_what_its_state_allows(superuser: Client) -> None:
    normal = factories.PartnerFactory()
    assert buttons(superuser, normal) == ["invite_administrator", "freeze_partner"]
    data = {"action": "freeze_partner", "_selected_action": normal.pk, "reason": "Unpaid"}
    confirm_action(superuser, list_page(Partner), data)
    assert buttons(superuser, normal) == ["invite_administrator", "unfreeze_partner"]


def test_administrator_is_invited_again_and_withdrawn_from_the_admin(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    data = {"action": "invite_administrator", "_selected_action": partner.pk, "address": "a b"}
    page = confirm_action(superuser, list_page(Partner), data)
    assert page.status_code == 400
    confirm_action(superuser, list_page(Partner), {**data, "address": "ines@south.example"})
    invitation = MemberInvitation.objects.get()
    found = (invitation.partner, invitation.address, invitation.role)
    assert found == (partner, "ines@south.example", "administrator")
    assert lines(superuser, partner, "Health") == [
        "It has no administrator yet: one was invited, and has not accepted."
    ]
    waiting = superuser.get(reverse("admin:index")).context["waiting"]
    sentence = "1 partner without an administrator (1 of them invited, not accepted yet)"
    assert sentence in [str(line.text) for line in waiting]
    assert buttons(superuser, invitation) == ["send_again", "withdraw"]
    for action in ("send_again", "withdraw"):
        chosen = {"action": action, "_selected_action": invitation.pk, "reason": "Wrong person"}
        confirm_action(superuser, list_page(invitation), chosen)
    invitation.refresh_from_db()
    assert invitation.withdrawn_at is not None
    event = AuditEvent.objects.get(action="member_invitation.withdrawn")
    assert event.after["reason"] == "Wrong person"
    assert OutboxMessage.objects.filter(kind="partners.member_invitation").count() == 2
    assert buttons(superuser, invitation) == []


def test_removing_a_member_says_what_follows_and_the_partner_reads_of_it(
    superuser: Client, boss: Any
) -> None:
    member = factories.PartnerMemberFactory()
    association = typed_factories.make_associated(
        invitation=factories.InvitationFactory(partner=member.partner)
    )
    type(association).objects.update(manager=member)
    address = reverse("admin:partners_partnermember_delete", args=[member.pk])
    assert [str(line) for line in superuser.get(address).context["consequences"]] == [
        "The console is closed to this member at once. The log-in stays.",
        "1 customer loses its manager.",
        "No e-mail is sent. The partner sees in the console that the provider did it.",
    ]
    open_and_send(superuser, address, {"post": "yes", "reason": "Has left"})
    event = AuditEvent.objects.get(action="partner_member.deleted")
    assert (event.acted_for, event.actor) == (member.partner_id, boss)
    did = lines(superuser, member.partner, "What its members did")
    assert did[0].startswith("partner_member.deleted · ") or did[1].startswith("partner_member")
    gone = superuser.get(change_page(member))
    assert gone["Location"].startswith(list_page(AuditEvent))


def test_members_are_shown_with_their_addresses(superuser: Client) -> None:
    member = factories.PartnerMemberFactory()
    assert lines(superuser, member.partner, "Partner members") == [
        f"{member.user} · {member.user.email} · manager"
    ]


def test_audit_trail_is_searched_by_the_actors_address(superuser: Client, boss: Any) -> None:
    factories.PartnerFactory()
    data = {"action": "freeze_partner", "_selected_action": Partner.objects.get().pk, "reason": "x"}
    confirm_action(superuser, list_page(Partner), data)
    found = superuser.get(list_page(AuditEvent), {"q": "boss@cloud.example"})
    assert [event.action for event in found.context["cl"].result_list] == ["partner.frozen"]


def test_place_is_understood_as_a_time_zone(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    form = opened(superuser, partner).context["adminform"].form
    assert form.fields["time_zone"].clean("Vienna") == "Europe/Vienna"


# --- actions on many rows


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("done", "done"),
        ("invitation_revoked", "left alone: This invitation has been revoked."),
        ("ended", "left alone: This association has ended."),
        ("", ""),
    ],
)
def test_row_of_a_bulk_action_says_what_came_of_it(
    superuser: Client, outcome: str, words: str
) -> None:
    invitation, now = factories.InvitationFactory(), timezone.now()
    action = BulkAction.objects.create(
        partner=invitation.partner,
        kind="revoke",
        size=3,
        done_count=3,
        refused_count=1,
        created_at=now,
        started_at=now,
    )
    row = BulkActionRow.objects.create(
        action=action, number=1, object_id=invitation.pk, outcome=outcome
    )
    page = superuser.get(list_page(row)).content.decode()
    assert f'<a href="{change_page(invitation)}">Invitation {invitation.pk}</a>' in page
    assert f'<td class="field-what_came">{words or "-"}</td>' in page
    counts = superuser.get(list_page(action)).content.decode()
    assert '<td class="field-done">2</td><td class="field-left_alone">1</td>' in counts


# --- documents


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("Read {provider}'s text.", None),
        (
            "Of {partner} and {foo}.",
            "Only {provider} is filled in. Readers would see this as it is: {foo}, {partner}.",
        ),
    ],
)
def test_document_with_an_unknown_placeholder_is_refused(
    superuser: Client, body: str, error: str | None
) -> None:
    last = LegalDocument.objects.order_by("-version").values_list("version", flat=True)[0]
    address = reverse("admin:association_legaldocument_add")
    form = superuser.get(address).context["adminform"].form
    assert form["version"].value() == last + 1
    data = {"kind": "instructions", "language": "en", "version": last + 1, "title": "T"}
    answer = superuser.post(address, {**data, "body": body})
    if error is None:
        document = LegalDocument.objects.get(version=last + 1)
        url = reverse("admin:document_preview", args=[document.pk])
        assert consequences(superuser, document, "publish") == [
            f'<a href="{url}" target="_blank">Preview</a>'
        ]
    else:
        assert answer.context["adminform"].form.errors["body"] == [error]

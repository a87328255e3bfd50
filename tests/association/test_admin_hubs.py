"""Hub pages of the admin: what belongs to an object, its actions, and the lists they lead to."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import CustomerAccount, User
from association.models import Association
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.models import Invitation, Partner
from tests import factories as typed_factories
from tests.shown_forms import hidden_fields

# The checker takes a factory for what it makes.
factories: Any = typed_factories

pytestmark = pytest.mark.django_db


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser() -> Client:
    return client_of(factories.UserFactory(staff=True))


def viewer(*names: str) -> Client:
    """Return the client of staff who may only view these models, and everything of no other."""
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))
    return client_of(staff)


def make_dead_message(about: Any, **fields: Any) -> OutboxMessage:
    now = timezone.now()
    values = {
        "kind": "accounts.registered", "recipient": "mailed@example.org", "language": "en",
        "created_at": now, "deadline_at": now, "next_try_at": now, "dead_at": now,
        "message_id": f"<{OutboxMessage.objects.count()}@mail.example>",
        "about_label": about._meta.label_lower, "about_id": str(about.pk),
    }  # fmt: skip
    return OutboxMessage.objects.create(**{**values, **fields})


def page_of(obj: Any) -> str:
    return reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change", args=[obj.pk])


def show(client: Client, obj: Any) -> Any:
    answer = client.get(page_of(obj))
    assert answer.status_code == 200
    return answer


def titles(answer: Any) -> list[str]:
    return [str(section.title) for section in answer.context["sections"]]


def lines(answer: Any, title: str) -> list[str]:
    [section] = [one for one in answer.context["sections"] if str(one.title) == title]
    return [" · ".join(map(str, [line.text, *line.details])) for line in section.lines]


def buttons(answer: Any) -> list[str]:
    return [name for name, _label in answer.context["buttons"]]


class Links(HTMLParser):
    def __init__(self, page: Any) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.content.decode().partition("hub-section")[2])

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "a":
            self.found.append(dict(attrs)["href"])


# --- what belongs to an object


def fill_partner() -> Partner:
    """Return a partner that has one more of everything at each call."""
    partner = Partner.objects.first() or factories.PartnerFactory()
    factories.PartnerMemberFactory(partner=partner)
    factories.MemberInvitationFactory(partner=partner)
    factories.InvitationRequestFactory(partner=partner)
    association = typed_factories.make_associated(
        invitation=factories.InvitationFactory(partner=partner)
    )
    association.end_requests.create(
        asking_side="customer", reason="Too dear", asked_at=timezone.now()
    )
    return partner


def fill_account() -> CustomerAccount:
    account = CustomerAccount.objects.filter(owner__account_name="c-hub").first()
    account = account or factories.CustomerAccountFactory(owner__account_name="c-hub")
    for factory in (factories.BillFactory, factories.ContractFactory, factories.CouponFactory):
        factory(account=account)
    factories.EnterpriseRelationFactory(master=account)
    factories.FreezeFactory(account=account, unfrozen_at=timezone.now())
    factories.AttemptFactory(account=account, entered_at=timezone.now())
    return account


def fill_invitation() -> Invitation:
    invitation = Invitation.objects.filter(label="Hub").first()
    invitation = invitation or factories.InvitationFactory(label="Hub")
    factories.AttemptFactory(invitation=invitation, partner=invitation.partner)
    factories.InvitationRequestFactory(invitation=invitation, partner=invitation.partner)
    return invitation


def fill_association() -> Association:
    association = Association.objects.first() or typed_factories.make_associated(letter=True)
    association.budgets.current().update(replaced_at=timezone.now())
    association.budgets.create(
        amount=5, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    factories.FreezeFactory(account=association.account, unfrozen_at=timezone.now())
    make_dead_message(association)
    return association


def fill_user() -> User:
    user = User.objects.filter(account_name="c-hub").first()
    user = user or factories.CustomerAccountFactory(owner__account_name="c-hub").owner
    AuditEvent.objects.create(
        occurred_at=timezone.now(), actor=user, action="user.changed", object_label="accounts.user",
        object_id=str(user.pk),
    )  # fmt: skip
    make_dead_message(user, recipient=user.email)
    return user


FILLS = pytest.mark.parametrize(
    "fill", [fill_partner, fill_account, fill_invitation, fill_association, fill_user]
)


@FILLS
def test_page_costs_the_same_for_three_rows(superuser: Client, fill: Callable[[], Any]) -> None:
    obj = fill()
    show(superuser, obj)
    with CaptureQueriesContext(connection) as one:
        show(superuser, obj)
    fill()
    fill()
    with CaptureQueriesContext(connection) as three:
        show(superuser, obj)
    assert len(three) == len(one)


@pytest.mark.slow
@FILLS
def test_every_link_of_a_section_opens(superuser: Client, fill: Callable[[], Any]) -> None:
    links = Links(show(superuser, fill())).found
    assert len(links) > 3
    for link in links:
        assert superuser.get(link).status_code == 200, link


def test_partner_shows_its_people_and_only_its_own(superuser: Client) -> None:
    partner, other = fill_partner(), factories.PartnerFactory()
    association = partner.associations.get()
    answer = show(superuser, partner)
    assert lines(answer, "Customers")[0].startswith(association.shown_name)
    assert len(lines(answer, "Live invitations")) == partner.invitations.count()
    assert len(lines(answer, "Open requests to end")) == 1
    empty = show(superuser, other)
    assert lines(empty, "Customers") == lines(empty, "Live invitations") == []
    assert "Open requests to end" not in titles(empty)


def test_health_names_what_is_wrong(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    assert lines(show(superuser, partner), "Health") == [
        "It has no administrator who can log in. A button above invites one."
    ]
    member = factories.PartnerMemberFactory(partner=partner, role="administrator")
    assert lines(show(superuser, partner), "Health") == []
    User.objects.filter(pk=member.user_id).update(is_active=False)
    assert len(lines(show(superuser, partner), "Health")) == 1


def test_health_counts_invitations_that_were_not_delivered(superuser: Client) -> None:
    member, now = factories.PartnerMemberFactory(role="administrator"), timezone.now()
    for invited in (member.partner, factories.PartnerFactory()):
        factories.InvitationFactory(partner=invited, email=True, undelivered_at=now)
    factories.InvitationFactory(partner=member.partner, email=True)
    assert lines(show(superuser, member.partner), "Health") == [
        "1 invitation was not delivered, and is not sent again by itself."
    ]


def test_more_than_five_rows_are_in_the_list(superuser: Client) -> None:
    partner = factories.PartnerFactory()
    factories.PartnerMemberFactory.create_batch(6, partner=partner)
    factories.PartnerMemberFactory()
    answer = show(superuser, partner)
    [section] = [one for one in answer.context["sections"] if "members" in str(one.title)]
    assert (len(section.lines), section.has_more) == (5, True)
    listed = superuser.get(section.all_url)
    assert listed.context["cl"].result_count == 6
    assert partner.name in listed.content.decode()


def test_addresses_are_masked_without_the_permission(superuser: Client) -> None:
    asked = factories.InvitationRequestFactory(address="secret.person@example.org")
    member = viewer("view_partner", "view_invitationrequest", "view_memberinvitation")
    factories.MemberInvitationFactory(partner=asked.partner, address="hidden.member@example.org")
    body = show(member, asked.partner).content.decode()
    assert "secret.person" not in body
    assert "hidden.member" not in body
    full = show(superuser, asked.partner).content.decode()
    assert "secret.person@example.org" in full
    assert "hidden.member@example.org" in full


def test_user_page_hides_messages_to_a_masked_address(superuser: Client) -> None:
    user = factories.UserFactory(email="quiet.reader@example.org")
    make_dead_message(about=user, recipient=user.email)
    assert "E-mails to the address" in titles(show(superuser, user))
    answer = show(viewer("view_user", "view_outboxmessage"), user)
    assert "E-mails to the address" not in titles(answer)
    assert "quiet.reader" not in answer.content.decode()


def test_sections_are_for_those_who_may_view_their_rows() -> None:
    answer = show(viewer("view_partner"), fill_partner())
    assert titles(answer) == ["Health"]


@pytest.mark.parametrize("value", ["x", "0", "-1", "9" * 30, "1_0"])
def test_filter_by_an_object_that_is_none(superuser: Client, value: str) -> None:
    factories.PartnerMemberFactory()
    path = reverse("admin:partners_partnermember_changelist")
    answer = superuser.get(path, {"partner": value}, follow=True)
    assert answer.status_code in {200, 400}
    allowed = superuser.get(path, {"partner__support_email__startswith": "a"})
    assert allowed.status_code == 403


# --- actions on the page


def test_revoked_invitation_offers_no_revoking(superuser: Client) -> None:
    live = factories.InvitationFactory()
    assert buttons(show(superuser, live)) == ["revoke"]
    live.revoked_at = timezone.now()
    live.save()
    assert buttons(show(superuser, live)) == []


def test_association_offers_what_can_work(superuser: Client) -> None:
    association = typed_factories.make_associated()
    assert buttons(show(superuser, association)) == ["set_budget", "freeze_account", "end"]
    association.budgets.create(
        amount=5, period="monthly", on_exhaustion="freeze", set_at=timezone.now()
    )
    assert "unfreeze_account" in buttons(show(superuser, association))
    referral = typed_factories.make_associated(
        invitation=factories.InvitationFactory(association_type="referral")
    )
    assert buttons(show(superuser, referral)) == ["end"]
    Association.objects.filter(pk=association.pk).update(ended_at=timezone.now())
    assert buttons(show(superuser, association)) == []


def test_button_leads_through_the_confirmation_back_to_the_page(superuser: Client) -> None:
    invitation = factories.InvitationFactory()
    page = show(superuser, invitation)
    sent = {**hidden_fields(page), "action": "revoke"}
    path = reverse("admin:partners_invitation_changelist")
    confirmation = superuser.post(path, sent)
    assert f'href="{page_of(invitation)}"' in confirmation.content.decode()
    done = superuser.post(
        path, {**hidden_fields(confirmation), "reason": "Wrong", "confirmed": "Revoke"}
    )
    assert (done.status_code, done["Location"]) == (302, page_of(invitation))
    invitation.refresh_from_db()
    assert invitation.revoked_at is not None


def test_who_may_only_view_sees_and_does_nothing() -> None:
    client = viewer("view_invitation", "view_association", "view_customeraccount")
    association = typed_factories.make_associated()
    invitation = association.invitation
    for obj in (association, invitation, association.account):
        answer = show(client, obj)
        assert buttons(answer) == []
        assert "object-actions" not in answer.content.decode()
    chosen = {"action": "revoke", "_selected_action": invitation.pk, "from_object": "1"}
    client.post(reverse("admin:partners_invitation_changelist"), {**chosen, "confirmed": "1"})
    invitation.refresh_from_db()
    assert invitation.revoked_at is None
    ended = {"action": "end", "_selected_action": association.pk, "reason": "x", "confirmed": "1"}
    client.post(reverse("admin:association_association_changelist"), ended)
    association.refresh_from_db()
    assert association.ended_at is None


# --- audit events


def test_audit_events_lead_to_their_object_and_back(superuser: Client) -> None:
    invitation = factories.InvitationFactory()
    for action in ("invitation.revoked", "invitation.edited"):
        AuditEvent.objects.create(
            occurred_at=timezone.now(), action=action, object_label="partners.invitation",
            object_id=str(invitation.pk), actor=factories.UserFactory(),
        )  # fmt: skip
    path = reverse("admin:audit_auditevent_changelist")
    assert page_of(invitation) in superuser.get(path).content.decode()
    history = superuser.get(reverse("admin:partners_invitation_history", args=[invitation.pk]))
    about = superuser.get(history.context["all_url"])
    assert about.context["cl"].result_count == 2
    event = AuditEvent.objects.get(action="invitation.revoked")
    for narrow in ({"action": event.action}, {"actor": event.actor_id}):
        listed = superuser.get(path, narrow)
        assert [row.pk for row in listed.context["cl"].result_list] == [event.pk]
    kinds = superuser.get(path, {"object_label": "partners.partner"})
    assert kinds.context["cl"].result_count == 0


@pytest.mark.parametrize(
    ("name", "make", "is_said"),
    [
        ("association_legaldocument", factories.LegalDocumentFactory, False),
        ("partners_partner", factories.PartnerFactory, True),
    ],
)
def test_history_names_lists_only_where_the_page_has_some(
    superuser: Client, name: str, make: Callable[[], Any], is_said: bool
) -> None:
    page = superuser.get(reverse(f"admin:{name}_history", args=[make().pk]))
    assert ("has a history of its own" in page.content.decode()) is is_said

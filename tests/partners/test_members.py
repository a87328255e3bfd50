"""The console's members: the list, changing and removing, and who may do it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from partners.enums import PartnerRole
from partners.models import PartnerMember
from tests.factories import (
    InvitationFactory,
    MemberInvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.shown_forms import open_and_send

pytestmark = pytest.mark.django_db
MEMBERS = "/partner/members/"


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


def address(member, action):
    return f"{MEMBERS}{member.pk}/{action}"


def terms(member):
    member = PartnerMember.objects.get(pk=member.pk)
    return member.role, member.may_see_addresses


@pytest.mark.parametrize("rows", [1, 3])
def test_list_has_constant_queries(boss, console, rows, django_assert_num_queries):
    PartnerMemberFactory.create_batch(rows, partner=boss.partner)
    MemberInvitationFactory.create_batch(rows, partner=boss.partner)
    PartnerMemberFactory.create()
    with django_assert_num_queries(7):
        page = console.get(MEMBERS)
    assert page.status_code == 200
    assert len(page.context["listing"].page.rows) == rows + 1
    assert len(page.context["invitations"]) == rows


def test_list_says_what_each_member_may_do_and_how_many_customers_they_have(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner, may_see_addresses=True)
    own = InvitationFactory.create(partner=boss.partner)
    for has_ended in (False, False, True):
        association = make_associated(invitation=own)
        association.manager = manager
        if has_ended:
            association.ended_at = timezone.now()
        association.save()
    rows = console.get(MEMBERS).context["listing"].page.rows
    assert [
        (row, row.sees_addresses, row.may_reveal_addresses, row.customer_count) for row in rows
    ] == [
        (boss, True, True, 0),
        (manager, False, True, 2),
    ]


def test_each_form_about_members_and_many_people_leads_back(boss, console):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    invited = MemberInvitationFactory.create(partner=boss.partner)
    invitations = "/partner/invitations/"
    for page, back, words in (
        (f"{MEMBERS}invite", MEMBERS, "Cancel"),
        (address(colleague, "edit"), MEMBERS, "Cancel"),
        (address(colleague, "remove"), MEMBERS, "Cancel"),
        (reverse("console_withdraw_member_invitation", args=[invited.pk]), MEMBERS, "Keep it"),
        (f"{invitations}batches/new", invitations, "Cancel"),
        (f"{invitations}email/new", invitations, "Cancel"),
        (f"{invitations}email/many", invitations, "Cancel"),
    ):
        way_back = f'<a class="button button-quiet" href="{back}">{words}</a>'
        assert way_back in console.get(page).content.decode(), page


def test_form_says_what_each_role_may_do(console):
    page = " ".join(console.get(f"{MEMBERS}invite").content.decode().split())
    assert (
        "Manager: their own invitations, and the customers who join by them or are assigned to them"
    ) in page
    assert "As a manager: may reveal customers’ e-mail addresses" in page


def test_list_is_searched_by_name_address_and_role(boss, console):
    manager = PartnerMemberFactory.create(
        partner=boss.partner, user=UserFactory(account_name="ann.hill", email="ann@example.org")
    )
    for query in ({"q": "ANN"}, {"q": "Ann@Example.org"}, {"role": "manager"}):
        assert console.get(MEMBERS, query).context["listing"].page.rows == [manager]
    none = console.get(MEMBERS, {"q": "unknown"})
    assert none.context["listing"].page.rows == []
    assert "No member is like that." in none.content.decode()


def test_expired_invitation_says_so(boss, console):
    MemberInvitationFactory.create(partner=boss.partner, expired=True)
    page = console.get(MEMBERS)
    assert [is_expired for _, is_expired in page.context["invitations"]] == [True]


@pytest.mark.parametrize("action", ["", "invite", "edit", "remove"])
def test_pages_are_for_the_partners_administrators_only(boss, action):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    path = address(manager, action) if action in {"edit", "remove"} else f"{MEMBERS}{action}"
    other = PartnerMemberFactory.create(administrator=True)
    assert client_of(boss.user).get(path).status_code == 200
    assert client_of(manager.user).get(path).status_code == 404
    assert client_of(UserFactory.create()).get(path).status_code == 404
    assert Client(SERVER_NAME="127.0.0.1").get(path).status_code == 302
    if action in {"edit", "remove"}:
        assert client_of(other.user).get(path).status_code == 404
        assert client_of(other.user).post(path, {"role": "manager"}).status_code == 404
    assert PartnerMember.objects.filter(partner=boss.partner).count() == 2


def test_change_is_saved_with_one_event_of_what_changed(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    data = {"role": "manager", "may_see_addresses": "on"}
    for _ in range(2):
        answer = open_and_send(console, address(manager, "edit"), data)
        assert (answer.status_code, answer["Location"]) == (303, MEMBERS)
    assert terms(manager) == (PartnerRole.MANAGER, True)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_id) == (
        "partner_member.changed",
        boss.user,
        str(manager.pk),
    )
    assert (event.before, event.after) == (
        {"may_see_addresses": False},
        {"may_see_addresses": True},
    )


@pytest.mark.parametrize("role", ["", "owner", "administrator\0", "x" * 100_000])
def test_unknown_role_changes_nothing(boss, console, role):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    assert open_and_send(console, address(manager, "edit"), {"role": role}).status_code == 400
    assert terms(manager) == (PartnerRole.MANAGER, False)
    assert not AuditEvent.objects.exists()


def test_promotion_and_demotion_apply_to_the_next_request(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    theirs = client_of(manager.user)
    assert theirs.get(MEMBERS).status_code == 404
    open_and_send(console, address(manager, "edit"), {"role": "administrator"})
    assert theirs.get(MEMBERS).status_code == 200
    open_and_send(console, address(manager, "edit"), {"role": "manager"})
    assert theirs.get(MEMBERS).status_code == 404
    assert theirs.get("/partner/").status_code == 200


def test_removed_member_finds_no_page_of_the_console_any_more(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    theirs = client_of(manager.user)
    assert theirs.get("/partner/").status_code == 200
    console.post(address(manager, "remove"))
    pages = ("", "invitations/", "requests/", "history/", "customers/", "members/")
    assert {theirs.get(f"/partner/{page}").status_code for page in pages} == {404}
    assert theirs.get("/account/settings/").status_code == 200


def test_removing_twice_answers_alike_and_writes_one_event(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    for _ in range(2):
        answer = console.post(address(manager, "remove"), {"form_key": "k" * 22})
        assert (answer.status_code, answer["Location"]) == (303, MEMBERS)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.object_id) == (
        "partner_member.deleted",
        boss.user,
        str(manager.pk),
    )
    assert event.before == {
        "partner": boss.partner.pk,
        "user": manager.user.pk,
        "role": "manager",
        "may_see_addresses": False,
    }
    assert console.get(address(manager, "remove")).status_code == 404
    other = client_of(PartnerMemberFactory.create(administrator=True).user)
    assert other.post(address(manager, "remove")).status_code == 404


def test_customers_of_a_removed_member_stay_without_a_manager(boss, console):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    customers = [make_associated(invitation=own) for _ in range(3)]
    for customer in customers:
        customer.manager = manager
        customer.save()
    before = AuditEvent.objects.count()
    page = console.get(address(manager, "remove")).content.decode()
    assert "They have no manager then, and administrators see them." in page
    console.post(address(manager, "remove"))
    for customer in customers:
        customer.refresh_from_db()
        assert (customer.manager, customer.ended_at) == (None, None)
        event = AuditEvent.objects.get(
            action="association.manager_changed", object_id=str(customer.pk)
        )
        assert (event.before, event.after) == ({"manager": manager.pk}, {"manager": None})
    assert AuditEvent.objects.count() == before + 4
    own.refresh_from_db()
    assert own.revoked_at is None
    assert list(trail_equals_state()) == []


@pytest.mark.parametrize("action", ["edit", "remove"])
def test_last_administrator_stays(boss, console, action):
    PartnerMemberFactory.create(partner=boss.partner)
    answer = open_and_send(console, address(boss, action), {"role": "manager"})
    assert answer.status_code == 409
    assert "A partner keeps at least one administrator." in answer.content.decode()
    assert terms(boss) == (PartnerRole.ADMINISTRATOR, False)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("action", "leads_to"), [("edit", "/partner/"), ("remove", "/account/")], ids=["edit", "remove"]
)
def test_one_of_two_administrators_may_leave(boss, console, action, leads_to):
    PartnerMemberFactory.create(partner=boss.partner, administrator=True)
    answer = open_and_send(console, address(boss, action), {"role": "manager"})
    assert (answer.status_code, answer["Location"]) == (303, leads_to)
    assert console.get(MEMBERS).status_code == 404

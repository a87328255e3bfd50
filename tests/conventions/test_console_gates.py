"""All URLs of the console: who may open them, and that each of their forms is guarded.

A new URL is visited without a change here; a new parameter fails until it is given a sample.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories
from tests.conventions.routes import Route, routes
from tests.integration.calls import make_key
from tests.integration.webhooks import make_delivery
from tests.tables import tables
from tests.worlds import module_world

pytestmark = pytest.mark.django_db

METHODS = ("get", "post")
# What is for administrators alone: for a manager the page does not exist, with any id.
ADMINISTRATORS_ONLY = {
    "console_customers_csv",
    "console_activity",
    "console_members",
    "console_invite_member",
    "console_settings",
    "console_edit_contact",
    "console_edit_default_budget",
    "console_edit_logo",
    "console_edit_files",
    "console_edit_zone",
    "console_keys",
    "console_new_key",
    "console_webhooks",
    "console_new_webhook",
}
NOT_ALLOWED = 405
# A log-in that ended may be tidied up.
SESSIONS = ["sessions.Session"]


@dataclass
class World:
    """Two partners: objects of A's administrator, and the people who might ask for them."""

    ids: dict[str, Any]
    users: dict[str, Any]

    def client(self, person: str) -> Client:
        return client_of(self.users[person])


def console_routes() -> list[Route]:
    return [route for route in routes() if route.pattern.startswith("partner/")]


def client_of(user: Any = None) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    if user is not None:
        client.force_login(user)
    return client


@module_world
def world() -> World:
    make: Any = factories
    boss = make.PartnerMemberFactory(administrator=True)
    partner = boss.partner
    invitation = make.InvitationFactory(partner=partner, created_by=boss.user)
    association = make.make_associated(invitation=invitation)
    other_boss = make.PartnerMemberFactory(administrator=True)
    former = make.PartnerMemberFactory(partner=partner, administrator=True)
    former_user = former.user
    mailing = make.BatchRowFactory(batch__partner=partner, batch__created_by=boss.user).batch
    former.delete()
    bulk_customers = make.BulkActionFactory(kind="freeze", partner=partner, created_by=boss.user)
    make.BulkActionRowFactory(action=bulk_customers, object_id=association.pk)
    bulk = make.BulkActionRowFactory(
        invitation=invitation, action__partner=partner, action__created_by=boss.user
    ).action
    delivery = make_delivery(partner)
    return World(
        ids={
            "invitation_id": invitation.pk,
            "invitation_request_id": make.InvitationRequestFactory(invitation=invitation).pk,
            "association_id": association.pk,
            "attempt_id": association.attempt_id,
            "batch_id": make.InvitationBatchFactory(partner=partner, created_by=boss.user).pk,
            "bulk_action_id": bulk.pk,
            "console_bulk_customers": bulk_customers.pk,
            "console_bulk_customers_csv": bulk_customers.pk,
            # Where only some of a kind have the page: by the name of the address.
            "console_mailing": mailing.pk,
            "console_bad_rows": mailing.pk,
            "console_list_remarks": mailing.pk,
            "member_id": make.PartnerMemberFactory(partner=partner).pk,
            "key_id": make_key(partner)[0].pk,
            "endpoint_id": delivery.endpoint_id,
            "delivery_id": delivery.pk,
            "member_invitation_id": make.MemberInvitationFactory(partner=partner).pk,
        },
        users={
            "the administrator": boss.user,
            "a stranger": None,
            "the customer": association.account.owner,
            "another customer": make.CustomerAccountFactory().owner,
            "another partner's administrator": other_boss.user,
            "another partner's manager": make.PartnerMemberFactory(partner=other_boss.partner).user,
            "a manager without rights": make.PartnerMemberFactory(partner=partner).user,
            "a former member": former_user,
            "a platform administrator": make.UserFactory(staff=True),
        },
    )


def unknown(parameter: str) -> Any:
    return uuid4() if parameter == "attempt_id" else 2**31


def address(route: Route, world: World, *, known: bool) -> str:
    if not route.parameters:
        return reverse(route.name)
    [parameter] = route.parameters
    if parameter not in world.ids:
        pytest.fail(f"{route.pattern}: give World.ids a value for {parameter!r}.")
    own = world.ids.get(route.name, world.ids[parameter])
    value = own if known else unknown(parameter)
    return reverse(route.name, kwargs={parameter: value})


@pytest.mark.slow
@pytest.mark.parametrize(
    "person",
    [
        "the customer",
        "another partner's administrator",
        # A second each.
        pytest.param("another customer", marks=pytest.mark.slow),
        pytest.param("another partner's manager", marks=pytest.mark.slow),
        "a manager without rights",
        pytest.param("a former member", marks=pytest.mark.slow),
        pytest.param("a platform administrator", marks=pytest.mark.slow),
    ],
)
def test_what_is_not_yours_does_not_exist(world, person):
    client = world.client(person)
    before, wrong = tables(without=SESSIONS), {}

    for route in console_routes():
        if not route.parameters:
            continue
        for method in METHODS:
            # A form's address leads a GET to the page of the form: one that does not exist, or
            # the list that anyone of a partner has.
            ask = partial(client.get, follow=True) if method == "get" else getattr(client, method)
            theirs = ask(address(route, world, known=True))
            absent = ask(address(route, world, known=False))
            chain = getattr(theirs, "redirect_chain", [])
            if chain and chain == absent.redirect_chain:
                continue
            allowed = {404, NOT_ALLOWED}
            if {theirs.status_code, absent.status_code} - allowed or (
                theirs.content != absent.content
            ):
                wrong[f"{method} {route.pattern}"] = (theirs.status_code, absent.status_code)

    assert wrong == {}
    assert tables(without=SESSIONS) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "person", ["the customer", "another customer", "a former member", "a platform administrator"]
)
def test_console_exists_for_members_only(world, person):
    client = world.client(person)

    statuses = {
        route.name: client.get(reverse(route.name)).status_code
        for route in console_routes()
        if not route.parameters
    }

    assert {name: status for name, status in statuses.items() if status not in {404, 405}} == {}


def test_strangers_are_asked_to_log_in(world):
    client, wrong = world.client("a stranger"), {}

    for route in console_routes():
        for method in METHODS:
            answer = getattr(client, method)(address(route, world, known=True))
            if answer.status_code != 302 or not answer["Location"].startswith("/account/login/"):
                wrong[f"{method} {route.pattern}"] = answer.status_code

    assert wrong == {}


def test_some_pages_are_for_administrators_only(world):
    client = world.client("a manager without rights")

    hidden = {
        route.name
        for route in console_routes()
        if not route.parameters
        and {
            client.get(reverse(route.name)).status_code,
            client.post(reverse(route.name)).status_code,
        }
        <= {404, NOT_ALLOWED}
        and client.get(reverse(route.name)).status_code == 404
    }

    assert hidden == ADMINISTRATORS_ONLY


@pytest.mark.slow
def test_owner_finds_every_page(world):
    """The positive control: what others do not find is there."""
    client = world.client("the administrator")

    missing = {
        route.pattern: 404
        for route in console_routes()
        if client.get(address(route, world, known=True)).status_code == 404
    }

    assert missing == {}


def test_forms_of_the_console_are_refused_without_their_token(world):
    boss = world.client("the administrator")
    client = Client(SERVER_NAME="127.0.0.1", enforce_csrf_checks=True)
    client.cookies = boss.cookies
    before = tables(without=SESSIONS)

    answers = {
        route.pattern: client.post(address(route, world, known=True)).status_code
        for route in console_routes()
    }

    assert {pattern: status for pattern, status in answers.items() if status != 403} == {}
    assert tables(without=SESSIONS) == before

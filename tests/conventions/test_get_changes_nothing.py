"""GET shows: no page inserts, updates or deletes a row, for any visitor and safe method."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from association.models import LegalDocument
from partners.services.unsubscribe_links import unsubscribe_url
from tests import factories
from tests.conventions.routes import Route, routes
from tests.integration.calls import make_key
from tests.integration.webhooks import make_delivery
from tests.tables import tables
from tests.worlds import module_world

pytestmark = pytest.mark.django_db

WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|TRUNCATE)\b", re.IGNORECASE)
# The shared cache counts the unknown tokens of an address: the one table that may change.
CACHE_TABLE = re.compile(r'"cache"')
METHODS = ("get", "head", "options")
# Reverses to nothing: the admin's catch-all, which only answers 404 or appends a slash.
UNNAMED = {""}


@dataclass(frozen=True)
class Visitor:
    """A person who visits: logged in as a user or not, with or without the attempt's cookie."""

    user: Any = None
    browser: bool = False


@dataclass
class World:
    """Rows for the pages to show, and samples of each parameter of a URL."""

    samples: dict[str, list[Any]] = field(default_factory=dict)
    visitors: dict[str, Visitor] = field(default_factory=dict)


def client_of(visitor: Visitor) -> Client:
    client = Client(raise_request_exception=True)
    if visitor.user:
        client.force_login(visitor.user)
    if visitor.browser:
        client.cookies[settings.BROWSER_COOKIE_NAME] = factories.BROWSER_SECRET
    return client


@module_world
def world() -> World:
    make: Any = factories
    association = make.make_associated(letter=True)
    account, invitation = association.account, association.invitation
    make.BillFactory(account=account)
    asked = make.InvitationRequestFactory(invitation=invitation)
    newcomer = make.CustomerAccountFactory(enabled=True)
    member = make.PartnerMemberFactory(partner=invitation.partner, administrator=True)
    attempts = [
        association.attempt,
        make.make_attempt(invitation=invitation, agreed=False),
        make.make_attempt(invitation=invitation),
        make.make_attempt(invitation=invitation, account=newcomer),
    ]
    invitations = [
        invitation,
        make.InvitationFactory(referral=True),
        make.InvitationFactory(expired=True),
    ]
    bulk = make.BulkActionFactory(partner=member.partner, created_by=member.user)
    bulk_customers = make.BulkActionFactory(
        kind="freeze", partner=member.partner, created_by=member.user
    )
    mailed = make.InvitationFactory(email=True, partner=member.partner)
    delivery = make_delivery(member.partner)
    return World(
        samples={
            "token": [row.token for row in invitations] + ["0" * 26],
            "attempt_id": [attempt.pk for attempt in attempts] + [uuid4()],
            "document_id": [LegalDocument.objects.values_list("pk", flat=True)[0], 0],
            "consent_id": list(account.consents.values_list("pk", flat=True)),
            "invitation_request_id": [asked.pk, 0],
            "invitation_id": [row.pk for row in invitations] + [mailed.pk, 0],
            "association_id": [association.pk, 0],
            "batch_id": [
                make.InvitationBatchFactory(partner=member.partner).pk,
                make.BatchRowFactory(batch__partner=member.partner).batch_id,
                0,
            ],
            "bulk_action_id": [bulk.pk, bulk_customers.pk, 0],
            "member_id": [member.pk, 0],
            "key_id": [make_key(member.partner)[0].pk, 0],
            "endpoint_id": [delivery.endpoint_id, 0],
            "delivery_id": [delivery.pk, 0],
            "issuer_id": ["cloud", "unknown"],
            "login_id": [make.ConnectedLoginFactory(user=newcomer.owner).pk, 0],
            "member_invitation_id": [
                make.MemberInvitationFactory(partner=member.partner).pk,
                0,
            ],
            "kind": ["instructions", "no-such-document"],
            "key": ["no-such-email"],
            "email_kind": ["association.frozen", "no.such_kind"],
            "rest": ["no-such-token"],
            "sha256": [make.PartnerLogoFactory().pk, "0" * 64],
            "app_label": ["accounts"],
            "signed": [
                unsubscribe_url(partner=member.partner, address="ada@example.org").split("/")[-1],
                "1-forged.signature",
            ],
        },
        visitors={
            "a stranger": Visitor(),
            "a stranger who has begun": Visitor(browser=True),
            "the associated customer": Visitor(account.owner, browser=True),
            "a customer who has not joined yet": Visitor(newcomer.owner),
            "a partner's member": Visitor(member.user),
            "an administrator": Visitor(make.UserFactory(staff=True)),
        },
    )


def samples_of(route: Route, parameter: str, world: World) -> list[Any]:
    """Return what to put into the address; the admin's ids are those of each model's first row."""
    if parameter == "object_id" and route.name.startswith("admin:"):
        for model in admin.site._registry:
            label = f"{model._meta.app_label}_{model._meta.model_name}_"
            if route.name.removeprefix("admin:").startswith(label):
                first = model._base_manager.order_by("pk").first()
                return [first.pk] if first else ["1"]
    if parameter not in world.samples:
        pytest.fail(f"{route.pattern}: give World.samples a value for {parameter!r}.")
    return world.samples[parameter]


def addresses(world: World) -> Iterator[str]:
    """Return every address of the site, each with every sample for its one changing part."""
    for route in routes():
        if route.name in UNNAMED or route.needs_key:
            continue
        if not route.parameters:
            yield reverse(route.name)
            continue
        [parameter] = route.parameters
        for sample in samples_of(route, parameter, world):
            yield reverse(route.name, kwargs={parameter: sample})


@contextmanager
def writes() -> Iterator[list[str]]:
    """Collect the statements that change rows."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if WRITES.match(sql) and not CACHE_TABLE.search(sql):
            found.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield found


def visit(address: str, client: Client) -> dict[str, Any]:
    """Request the address with every safe method; return what went wrong.

    The admin has many pages: there GET is enough.
    """
    wrong = {}
    for method in ("get",) if address.startswith("/admin/") else METHODS:
        with writes() as written:
            status = getattr(client, method)(address).status_code
        # What only a POST does declares its page, to which a GET leads: log-ins return by GET.
        is_without_page = status == 405 and method != "options"
        if written or status >= 500 or is_without_page:
            wrong[f"{method} {address}"] = written or status
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    "person",
    [
        "a stranger",
        "a stranger who has begun",
        "the associated customer",
        # Seconds each.
        pytest.param("a partner's member", marks=pytest.mark.slow),
        pytest.param("a customer who has not joined yet", marks=pytest.mark.slow),
        pytest.param("an administrator", marks=pytest.mark.slow),
    ],
)
def test_looking_changes_no_table(world, person):
    client = client_of(world.visitors[person])
    before, wrong = tables(), {}

    for address in addresses(world):
        wrong |= visit(address, client)

    assert wrong == {}
    assert tables() == before


def test_a_write_is_noticed(world):
    with writes() as written:
        factories.UserFactory.create()

    assert written != []

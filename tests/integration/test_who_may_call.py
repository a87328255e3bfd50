"""Every operation that the URLconf lists, called by those who may not."""

import re

import pytest

from association.models import Association
from integration.api.openapi import openapi_document
from integration.enums import ProviderScope, Scope
from integration.services.keys import revoke_key
from tests.conventions.routes import routes
from tests.factories import (
    InvitationRequestFactory,
    PartnerFactory,
    make_associated,
)
from tests.integration.calls import Caller, ProviderCaller
from tests.integration.webhooks import make_endpoint
from tests.tables import tables
from tests.worlds import module_world

pytestmark = pytest.mark.django_db
OPERATIONS = [
    (method, path, scope)
    for path, operations in openapi_document()["paths"].items()
    for method, operation in operations.items()
    for [scope] in operation["security"][0].values()
]
IDS = [f"{method} {path}" for method, path, _scope in OPERATIONS]
PROVIDER = "/api/v1/provider/"
NAMED = {"account": "c-0000000000"}
QUERIES = {
    "/invitations/{invitation_id}/eligibility": NAMED,
    "/provider/permissions": NAMED,
    "/provider/eligibility": {**NAMED, "partner_id": "1", "association_type": "reseller"},
}
BODIES = {
    "invitations": {"channel": "link", "association_type": "reseller", "label": "x"},
    "budget": {
        "limit": {"amount": "1.00", "currency": "USD"},
        "period": "monthly",
        "on_exhaustion": "freeze",
    },
    "freeze": {"reason": "x"},
    "dismiss": {"reason": "x"},
    "answer": {"agree": False},
    "end-requests": {"reason": "x"},
    "webhooks": {"url": "https://crm.example.com/hooks"},
    "partners": {
        "slug": "north",
        "name": "North",
        "legal_name": "North Ltd",
        "country": "DE",
        "support_email": "help@north.example",
        "administrator": "ada@north.example",
    },
    "unfreeze": {"reason": "x"},
    "end": {"reason": "x"},
    "accounts": {"external_id": "x", "address": "ada@example.org", "country": "DE"},
}


@module_world
def world():
    """Objects of a partner, and a caller of another one."""
    customer = make_associated()
    asked = InvitationRequestFactory()
    asking = f"/customers/{customer.pk}/end-requests"
    ends = Caller(customer.partner).post(asking, {"reason": "x"})
    ids = {
        "/api/v1/invitations/": str(customer.invitation_id),
        "/api/v1/customers/": str(customer.pk),
        "/api/v1/invitation-requests/": str(asked.pk),
        "/api/v1/end-requests/": ends.json()["id"],
        "/api/v1/webhooks/": str(make_endpoint(partner=customer.partner)[0].pk),
        f"{PROVIDER}partners/": str(customer.partner.pk),
        f"{PROVIDER}associations/": str(customer.pk),
        f"{PROVIDER}accounts/": customer.account.owner.account_name,
    }
    return ids, Caller(PartnerFactory())


def caller_for(path, *scopes):
    """Return a caller of the side whose operation it is, with these scopes."""
    if path.startswith(PROVIDER):
        return ProviderCaller(scopes or tuple(ProviderScope))
    return Caller(PartnerFactory(), scopes or tuple(Scope))


def call(caller, method, path, number):
    """Call the operation with this id and a body that it accepts."""
    address = path.replace("/api/v1", "")
    if "{" in address:
        begin, _brace, rest = address.partition("{")
        address = f"{begin}{number}{rest.partition('}')[2]}"
    send = getattr(caller, method)
    if method == "get":
        return send(address, **QUERIES.get(path.removeprefix("/api/v1"), {}))
    return send(address, BODIES.get(path.rpartition("/")[2], {}))


def test_every_route_of_the_urlconf_is_in_the_document():
    """A route that the document lacks would be in none of these tables."""
    mounted = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", f"/{row.pattern}") for row in routes() if row.needs_key
    }

    assert mounted == {path for _method, path, _scope in OPERATIONS}


@pytest.mark.parametrize(
    ("method", "path"), [row[:2] for row in OPERATIONS if row[0] == "get"], ids=lambda part: part
)
def test_reading_changes_no_table(world, method, path):
    ids, _stranger = world
    customer = Association.objects.get(pk=ids["/api/v1/customers/"])
    caller = ProviderCaller() if path.startswith(PROVIDER) else Caller(customer.partner)
    before = tables()
    [number] = [one for begin, one in ids.items() if path.startswith(begin)] or [""]
    answer = call(caller, method, path, number)

    assert answer.status_code in {200, 404}
    assert tables() == before


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS, ids=IDS)
def test_missing_scope_is_a_403(world, method, path, scope):
    side = ProviderScope if path.startswith(PROVIDER) else Scope
    others = [one for one in side if one != scope]
    answer = call(caller_for(path, *others), method, path, "1")

    assert (answer.status_code, answer.json()["missing_scope"]) == (403, scope)


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS, ids=IDS)
def test_key_of_the_other_side_is_a_403(world, method, path, scope):
    is_providers = path.startswith(PROVIDER)
    caller = Caller(PartnerFactory()) if is_providers else ProviderCaller()
    answer = call(caller, method, path, "1")

    side = "the provider" if is_providers else "partners"
    assert (answer.status_code, answer.json()["code"]) == (403, "key_of_other_side")
    assert answer.json()["detail"] == f"This call is for keys of {side}."
    assert "missing_scope" not in answer.json()


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS, ids=IDS)
def test_revoked_key_is_a_401(world, method, path, scope):
    caller = caller_for(path, scope)
    revoke_key(api_key=caller.key, by=caller.key.user, now=caller.key.created_at)
    answer = call(caller, method, path, "1")

    assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, path)
        for method, path, _scope in OPERATIONS
        if "{" in path and not path.startswith(PROVIDER)
    ],
    ids=[name for name in IDS if "{" in name and PROVIDER not in name],
)
def test_object_of_another_partner_is_a_404(world, method, path):
    ids, stranger = world
    [number] = [number for begin, number in ids.items() if path.startswith(begin)]
    answers = [call(stranger, method, path, one) for one in (number, "100000000000000001", "x")]
    bodies = [{**answer.json(), "request_id": ""} for answer in answers]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert bodies[0] == bodies[1] == bodies[2]


@pytest.mark.parametrize(
    ("method", "path"),
    [row[:2] for row in OPERATIONS if "{" in row[1] and row[1].startswith(PROVIDER)],
    ids=[name for name in IDS if "{" in name and PROVIDER in name],
)
def test_object_that_does_not_exist_is_a_404_for_the_provider(method, path):
    answers = [call(ProviderCaller(), method, path, one) for one in ("100000000000000001", "x")]

    assert [answer.json()["code"] for answer in answers] == ["not_found", "not_found"]

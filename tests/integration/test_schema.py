"""Calls that schemathesis makes from the OpenAPI document: every answer is one that it documents.

Some calls of each operation always; EXAMPLES=300 makes thousands (`.ci/run --long`).
"""

import os
from collections import Counter
from itertools import cycle

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from integration.api.openapi import openapi_document
from tests.factories import InvitationRequestFactory, make_associated
from tests.integration.calls import Caller, ProviderCaller
from tests.integration.webhooks import make_endpoint
from tests.worlds import module_world

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
SCHEMA = "/api/v1/openapi.json"
# How often this process was answered each status.
ANSWERS = Counter()
OPERATIONS = [
    (method, path)
    for path, operations in openapi_document()["paths"].items()
    for method in operations
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def write_lines(_context, value):
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@module_world
def world():
    """A partner with an object of each kind, and its caller."""
    customer = make_associated()
    caller = Caller(customer.partner)
    asked = InvitationRequestFactory(invitation=customer.invitation)
    ends = caller.post(f"/customers/{customer.pk}/end-requests", {"reason": "x"})
    ids = {
        "invitation_id": str(customer.invitation_id),
        "customer_id": str(customer.pk),
        "endpoint_id": str(make_endpoint(partner=customer.partner)[0].pk),
        "partner_id": str(customer.partner.pk),
        "association_id": str(customer.pk),
        "account": customer.account.owner.account_name,
        "invitation-requests": str(asked.pk),
        "end-requests": ends.json()["id"],
    }
    return caller, ProviderCaller(), ids, cycle([True, False])


@pytest.fixture(autouse=True)
def _many_calls(settings):
    # On a busy machine the 503 would end the transaction of the world, and so all later calls.
    settings.REQUEST_WAIT_SECONDS = None
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "api": (10**6, 60)}


@pytest.fixture(autouse=True)
def _one_connection():
    """Keep the connection, whose transaction the test is in, beyond each call."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda part: part)
def test_every_answer_is_documented(world, method, path, mode):
    partners, providers, ids, takes_own = world
    caller = providers if path.startswith("/api/v1/provider/") else partners
    operation = schemathesis.openapi.from_wsgi(SCHEMA, get_wsgi_application())[path][method]

    @given(case=operation.as_strategy(generation_mode=mode))
    @examples(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    def call(case):
        for name in case.path_parameters or {}:
            # Every second call is about an object that exists.
            if next(takes_own):
                case.path_parameters[name] = ids.get(name) or ids[path.split("/")[3]]
        answer = case.call_and_validate(headers=caller.headers(), checks=CHECKS)
        ANSWERS[answer.status_code] += 1

    call()


def test_thousands_of_calls_were_made():
    """The last test: with EXAMPLES=300 each of two processes makes more than 5,000 calls."""
    print(f"{ANSWERS.total():,} calls in this process, by status: {sorted(ANSWERS.items())}")  # noqa: T201
    assert EXAMPLES < 300 or ANSWERS.total() >= 5_000

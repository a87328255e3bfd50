"""The OpenAPI document: committed, complete, and served."""

import json
from pathlib import Path

from django.test import Client

from integration.api.openapi import openapi_document

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


def test_committed_document_is_the_one_that_is_served(client: Client):
    committed = json.loads(COMMITTED.read_text())
    served = client.get("/api/v1/openapi.json").json()

    # Where it runs is the operator's choice.
    del committed["servers"], served["servers"]
    assert served == committed, "Run `make openapi`, and read the difference."


def test_a_change_has_no_defaults_that_a_program_would_send():
    schemas = openapi_document()["components"]["schemas"]
    defaults = [
        (name, field)
        for name in ("CustomerChanges", "InvitationChanges")
        for field, schema in schemas[name]["properties"].items()
        if "default" in schema
    ]

    assert defaults == []
    assert "default" in schemas["NewInvitation"]["properties"]["note"]


def test_every_operation_says_what_it_does_and_what_it_needs():
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].count("Scope: `") == 1, (method, path)
            assert operation["operationId"].count("_") >= 1
            assert set(operation["responses"]) >= {400, 401, 403, 422, 429, 503}

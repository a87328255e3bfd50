"""The OpenAPI document: committed, complete, and served."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from integration.api.answers import IDEMPOTENCY_KEY
from integration.api.openapi import openapi_document
from integration.enums import ProviderScope, Scope

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


def test_page_has_every_kind_of_fact_and_no_link_that_leads_nowhere(client: Client):
    page = client.get("/api/").content.decode()
    targets = set(re.findall(r'id="([^"]+)"', page))
    links = {unescape(link) for link in re.findall(r'href="#([^"]+)"', page)}

    assert links - targets == set()
    kinds = {"BillFact", "ContractFact", "CouponFact", "AccountFact", "SpendingFact", "FactLine"}
    assert targets >= kinds
    assert "import_facts" not in page


def test_schema_of_a_fact_has_the_fields_of_its_form():
    schemas = openapi_document()["components"]["schemas"]
    bill, account = schemas["BillFact"], schemas["AccountFact"]

    assert list(bill["properties"]) == [
        *("account", "account_external_id", "amount", "paid_amount", "issued_at", "due_at"),
    ]
    assert bill["required"] == ["amount", "paid_amount", "issued_at"]
    assert "required" not in account
    assert account["properties"]["is_internal"] == {"type": "boolean"}
    assert schemas["CouponFact"]["properties"]["expires_at"]["anyOf"][1] == {"type": "null"}
    assert schemas["ResourceFact"]["properties"]["status"]["enum"] == [
        *("running", "stopped", "released"),
    ]


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (path, method)
        for path, operations in openapi_document()["paths"].items()
        for method in operations
    ],
)
def test_every_operation_says_what_it_does_and_what_it_answers(path, method):
    operation = openapi_document()["paths"][path][method]
    about, between, scope = operation["description"].rpartition("\n\nScope: ")
    successes = [row for status, row in operation["responses"].items() if 200 <= status < 300]

    assert between
    assert about.strip()
    assert scope in [f"`{known}`." for known in (*Scope.values, *ProviderScope.values)]
    assert operation["summary"] != operation["operationId"]
    contents = [content for row in successes for content in row["content"].items()]
    assert contents
    assert all(kind.startswith("image/") or "$ref" in row["schema"] for kind, row in contents)
    if method != "get":
        assert IDEMPOTENCY_KEY in [row["name"] for row in operation["parameters"]]

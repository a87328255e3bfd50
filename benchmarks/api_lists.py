"""The cost of page 10,000 of the API's lists beside page 1, with a million rows."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from accounts.models import CustomerAccount
from association.models import Association
from benchmarks.api import make_key
from benchmarks.console import FAR_PAGE, Database, format_ratio, visit
from benchmarks.console_rows import BASE, LARGE, SMALL, fill, make_members
from benchmarks.provider import make_secret
from integration.api.answers import cursor_of
from outbox.models import Event
from partners.models import Partner

ROUNDS = 7
# Page 10,000 begins after 99,990 rows: of customers, accounts and associations there are 200,000.
SIZE = 10
GOAL = 2
PROVIDER = "/api/v1/provider/"

EVENTS = """
INSERT INTO outbox_event (id, position, kind, partner_id, object_label, object_id, occurred_at,
    data)
SELECT {base} + n, n, 'association.created', CASE WHEN n % 10 = 0 THEN {other} ELSE {partner} END,
    'association.association', customer, now() - interval '80 days' * (1 - n / {last}.0),
    jsonb_build_object('customer_id', customer::text)
FROM (SELECT n, {base} + {first} + n / 5 * 5 AS customer
    FROM generate_series({first}, {last}) n) made
"""


def measure() -> Iterator[str]:
    """Yield the lines of the report: milliseconds of the database, in rounds that alternate."""
    settings.RATE_LIMITS |= {"api": (10**6, 60), "provider_api": (10**6, 60)}
    partner = make_rows()
    databases = {
        "partner": Database(client(make_key(partner))),
        "provider": Database(client(make_secret())),
    }
    yield f"| list, {SIZE} rows a page | page 1: ms | page {FAR_PAGE:,}: ms | ratio |"
    yield "|---|---|---|---|"
    for path, after in far_places(partner).items():
        database = databases["provider" if path.startswith(PROVIDER) else "partner"]
        address = f"{path}{'&' if '?' in path else '?'}limit={SIZE}"
        pair = (address, f"{address}&{urlencode({'after': after})}")
        rounds = [[visit(database, one) for one in pair] for _ in range(ROUNDS + 1)]
        # The first round fills the caches of this process, and is left out.
        first, far = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
        yield f"| {path} | {first:.1f} | {far:.1f} | {format_ratio(far / first, GOAL)} |"


def make_rows() -> Partner:
    """Add a million invitations, attempts and events; return the partner that has most of them."""
    members = make_members()
    fill(SMALL, members)
    fill(LARGE, members)
    partner = members["administrator"].partner
    other = Partner.objects.exclude(pk=partner.pk).latest("pk")
    numbers = {"base": BASE, "first": 1, "last": LARGE.last}
    with connection.cursor() as cursor:
        cursor.execute(EVENTS.format(partner=partner.pk, other=other.pk, **numbers))
        cursor.execute("VACUUM ANALYZE outbox_event")
    return partner


def client(secret: str) -> Client:
    host = settings.ALLOWED_HOSTS[0]
    return Client(headers={"host": host, "authorization": f"Bearer {secret}"})


def far_places(partner: Partner) -> Mapping[str, str]:
    """Return the `after` of page 10,000 by the address of the list."""
    associations = Association.objects.all()
    own = {"partner_id": partner.pk}
    cursors: list[tuple[str, QuerySet[Any], str]] = [
        ("/api/v1/invitations", partner.invitations.all(), "-created_at"),
        ("/api/v1/customers", partner.associations.all(), "-associated_at"),
        (f"{PROVIDER}accounts", CustomerAccount.objects.all(), "id"),
        (f"{PROVIDER}associations", associations, "-associated_at"),
        (f"{PROVIDER}associations?{urlencode(own)}", associations.filter(**own), "-associated_at"),
    ]
    events: list[tuple[str, QuerySet[Event]]] = [
        ("/api/v1/events", Event.objects.filter(**own)),
        (f"{PROVIDER}events", Event.objects.all()),
        (f"{PROVIDER}events?{urlencode(own)}", Event.objects.filter(**own)),
    ]
    last = (FAR_PAGE - 1) * SIZE - 1
    places = {}
    for path, rows, order in cursors:
        field = order.removeprefix("-")
        value, key = rows.order_by(order, f"{order[: -len(field)]}pk").values_list(field, "pk")[
            last
        ]
        text = value if field == "id" else value.isoformat()
        places[path] = cursor_of(path.partition("?")[0], f"{text}~{key}")
    return places | {
        path: str(rows.order_by("position").values_list("pk", flat=True)[last])
        for path, rows in events
    }

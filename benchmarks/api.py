"""The cost of calls of the API: a read beside a bare django-ninja view, and a thousand rows."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import User
from integration.enums import Scope
from integration.services.keys import create_key
from partners.enums import AssociationType
from partners.models import Partner
from partners.services.invitations import create_links
from partners.tokens import new_token

ROUNDS = 7
CALLS = 300
MANY = 1_000


def measure() -> Iterator[str]:
    """Yield the lines of the report: CPU of this process alone, in rounds that alternate."""
    settings.RATE_LIMITS["api"] = (10**6, 60)
    partner, secret = make_caller()
    [link] = create_links(
        count=1,
        partner=partner,
        association_type=AssociationType.RESELLER,
        label="Bench",
        by=None,
        now=timezone.now(),
    )
    read = caller("get", f"/api/v1/invitations/{link.pk}", secret)
    command = [sys.executable, "-m", "benchmarks.bare_api", str(link.pk), str(CALLS)]
    environment = {name: text for name, text in os.environ.items() if "SETTINGS" not in name}
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as bare:
        rounds = [(ask(bare), microseconds(read)) for _ in range(ROUNDS + 1)][1:]
    bare_view, own = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [one / ours for one, ours in rounds]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"
    yield "| call | CPU, µs | of a bare view |"
    yield "|---|---|---|"
    yield f"| a bare django-ninja view, one SELECT | {bare_view:.0f} | 1 |"
    yield f"| an invitation, with its key | {own:.0f} | {spread} |"
    yield ""
    seconds = statistics.median(make_many(secret))
    yield f"{MANY:,} invitations in one call: {seconds:.2f} s of CPU."


def make_caller() -> tuple[Partner, str]:
    """Return a partner, and the secret of a key of it."""
    name = new_token()[:12]
    partner = Partner.objects.create(
        name=f"Bench {name}",
        slug=f"bench-{name}",
        legal_name="Bench Ltd.",
        country="IE",
        support_email="support@bench.example",
    )
    return partner, make_key(partner)


def make_key(partner: Partner) -> str:
    """Return the secret of a key of the partner with all scopes."""
    name = new_token()[:12]
    boss = User.objects.create_user(f"bench-{name}", f"{name}@bench.example")
    now = timezone.now()
    _key, secret = create_key(
        partner=partner,
        name="bench",
        scopes=list(Scope),
        expires_at=now + timedelta(days=1),
        by=boss,
        now=now,
    )
    return secret


def caller(
    method: str, path: str, secret: str, body: Any = None, content_type: str = "application/json"
) -> Callable[[], None]:
    """Return a function that makes the call in this process. It fails if the call does."""
    application = get_wsgi_application()
    content = {} if body is None else {"data": body, "content_type": content_type}
    request = getattr(RequestFactory(SERVER_NAME="127.0.0.1"), method)(
        path, HTTP_AUTHORIZATION=f"Bearer {secret}", **content
    )

    def start(status: str, *_args: object) -> Callable[[bytes], object]:
        if not status.startswith("2"):
            sys.exit(f"{method} {path}: {status}")
        return lambda _content: None

    def call() -> None:
        environ = dict(request.environ)
        if body is not None:
            environ["wsgi.input"] = BytesIO(body.encode())
        application(environ, start).close()  # type: ignore[arg-type, attr-defined]

    return call


def microseconds(call: Callable[[], None]) -> float:
    """Return the CPU time of one of many calls."""
    began = time.process_time()
    for _ in range(CALLS):
        call()
    return (time.process_time() - began) / CALLS * 1e6


def ask(program: "subprocess.Popen[str]") -> float:
    """Let the other program make its calls, and return what it prints."""
    if program.stdin is None or program.stdout is None:
        sys.exit("The other program has no pipes.")
    program.stdin.write("\n")
    program.stdin.flush()
    return float(program.stdout.readline())


def make_many(secret: str) -> list[float]:
    """Return the seconds of CPU of some calls that make a thousand invitations each."""
    terms = {"channel": "link", "association_type": "reseller"}
    items = [{**terms, "label": f"Table {number}"} for number in range(MANY)]
    call = caller("post", "/api/v1/invitations/many", secret, json.dumps({"items": items}))
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        seconds.append(time.process_time() - began)
    return seconds

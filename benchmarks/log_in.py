"""What log-in and registration cost beside one hash, and what a flood of guesses does to pages."""

import multiprocessing
import secrets
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User, VerificationCode
from accounts.services.codes import derive_code
from association.models import Attempt, LegalDocument
from association.services.attempts import derived_from, hash_of
from association.services.registration import send_attempt_code
from benchmarks.journey import CSRF, HERE, Site, served
from partners.models import Invitation, Partner
from partners.tokens import new_token

ROUNDS = 41
GUESSERS = 60
LOOKS = 300
PASSWORD = "a long password for the benchmark"  # noqa: S105 - made up
SECRET = "0" * 32


def measure() -> Iterator[str]:
    """Yield the lines about log-in and registration."""
    yield from cost()
    yield ""
    with served("now", HERE.parent, 8480) as site:
        yield from flood(site)


def cost() -> Iterator[str]:
    """Yield the CPU time of both POSTs in this process against one hash, measured in turn."""
    settings.ALLOWED_HOSTS = ["testserver"]
    user, invitation, client = make_user(), make_invitation(), Client()
    encoded = user.password
    taken: dict[str, list[float]] = {"hash": [], "log-in": [], "registration": []}
    for _ in range(ROUNDS):
        taken["hash"].append(cpu_of(lambda: check_password(PASSWORD, encoded)))
        taken["log-in"].append(cpu_of(lambda: log_in(client, user)))
        body = prepare_registration(client, invitation)
        taken["registration"].append(cpu_of(partial(register, client, *body)))
    yield "| POST | CPU ms | against the hash |"
    yield "|---|---|---|"
    one = statistics.median(taken["hash"])
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        yield f"| {name} | {median * 1000:.1f} | {median / one:.2f} |"


def cpu_of(action: Callable[[], object]) -> float:
    begun = time.process_time()
    action()
    return time.process_time() - begun


def make_user() -> User:
    name = new_token()
    user = User.objects.create_user(name, f"{name}@bench.example", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_invitation() -> Invitation:
    partner = Partner.objects.create(
        name="Bench",
        slug=f"bench-{new_token()[:12]}",
        legal_name="Bench Ltd.",
        country="IE",
        support_email="support@bench.example",
    )
    return Invitation.objects.create(
        partner=partner,
        channel="link",
        association_type="reseller",
        label="Bench",
        token=new_token(),
        created_at=timezone.now(),
    )


def log_in(client: Client, user: User) -> None:
    """Log in from a browser without cookies; a new network, so that no limit is reached."""
    client.cookies.clear()
    typed = {"login": user.email, "password": PASSWORD}
    answer = post(client, reverse("account_login"), typed, {"X-Forwarded-For": network()})
    if answer.status_code not in (302, 303):
        raise RuntimeError(answer.status_code)


def network() -> str:
    return ".".join(["10", *(str(secrets.randbelow(256)) for _ in range(3))])


def prepare_registration(client: Client, invitation: Invitation) -> tuple[str, dict[str, str]]:
    """Return where to register, with the code that was sent; the browser has begun the attempt."""
    now = timezone.now()
    attempt = Attempt.objects.create(
        invitation=invitation,
        **derived_from(invitation),
        browser_hash=hash_of(SECRET),
        language="en",
        started_at=now,
        instructions=LegalDocument.objects.get(kind="instructions", language="en"),
        instructions_agreed_at=now,
    )
    email = f"{new_token()}@bench.example"
    send_attempt_code(attempt=attempt, email=email, country="FR", next_page="/", now=now)
    client.cookies.clear()
    client.cookies[settings.BROWSER_COOKIE_NAME] = SECRET
    code = derive_code(VerificationCode.objects.get(email=email), None)
    return reverse("join_create_account", args=[attempt.pk]), {"code": code, "password": PASSWORD}


def register(client: Client, page: str, typed: dict[str, Any]) -> None:
    answer = post(client, page, typed, {})
    if answer.status_code != 303:
        raise RuntimeError(answer.status_code)


def post(client: Client, page: str, typed: dict[str, str], headers: dict[str, str]) -> Any:
    """Send a form as browsers do, where Django's test client would send it in parts."""
    form = "application/x-www-form-urlencoded"
    return client.post(page, urlencode(typed), content_type=form, headers=headers)


def flood(site: Site) -> Iterator[str]:
    """Yield the landing page's times: alone, and beside many who guess passwords at once."""
    yield f"| landing page beside {GUESSERS} wrong log-ins in parallel | p50 ms | p95 ms |"
    yield "|---|---|---|"
    look(site, 30)
    quiet = look(site, LOOKS)
    yield f"| quiet | {median_of(quiet)} | {p95(quiet) * 1000:.1f} |"
    with guessing(site) as answers:
        flooded = look(site, LOOKS)
    yield f"| flooded | {median_of(flooded)} | {p95(flooded) * 1000:.1f} |"
    yield ""
    yield f"p95 flooded / quiet: {p95(flooded) / p95(quiet):.1f}. Answers to guesses: {answers}."


@contextmanager
def guessing(site: Site) -> Iterator[Counter[int]]:
    """Guess in a process of its own; at the end the counter has the statuses."""
    answers: Counter[int] = Counter()
    processes = multiprocessing.get_context("fork")
    end, results = processes.Event(), processes.Queue()
    process = processes.Process(target=guess_in_threads, args=(site, end, results))
    process.start()
    time.sleep(1)
    try:
        yield answers
    finally:
        end.set()
        answers.update(results.get(timeout=60))
        process.join()


def guess_in_threads(site: Site, end: Event, results: Any) -> None:
    """Send so many guesses at once, and again when all are answered and a second has passed."""
    answers: Counter[int] = Counter()
    with ThreadPoolExecutor(GUESSERS) as pool:
        while not end.wait(1):
            answers.update(pool.map(lambda _: guess(site), range(GUESSERS)))
    results.put(answers)


def look(site: Site, count: int) -> list[float]:
    """Open the landing page so many times; return the seconds of each."""
    taken = []
    for _ in range(count):
        begun = time.monotonic()
        if site.ask("GET", f"/i/{site.people['token']}", {})[0] != 200:
            raise RuntimeError("the landing page is not shown")
        taken.append(time.monotonic() - begun)
        time.sleep(0.01)
    return taken


def guess(site: Site) -> int:
    """Guess the password of a known account, from a new network."""
    login, password = secrets.choice(site.people["logins"]), "a wrong password"
    body = urlencode({"csrfmiddlewaretoken": CSRF, "login": login, "password": password})
    headers = {"X-Forwarded-For": network()}
    return site.ask("POST", "/account/login/", {"csrf": CSRF}, body, headers)[0]


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def median_of(seconds: list[float]) -> str:
    return f"{statistics.median(seconds) * 1000:.1f}"

"""Runs all benchmarks and prints the results as Markdown.

    DATABASE_URL=postgres://… python -m benchmarks [PART]

PART is pages, instructions, journey, log_in, associations, exactness, console, emails, api,
api_lists, api_beside, provider or issuer. The database must be an empty one on PostgreSQL; the rows
stay in it. BEFORE names a second checkout, whose journey is measured beside this one's.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

os.environ.update(
    DJANGO_SETTINGS_MODULE="config.settings",
    DEMO="1",
    PUBLIC_BASE_URL="http://127.0.0.1:8462",
    # The load tool sets X-Forwarded-For as a proxy does: one client would reach the limits.
    TRUSTED_PROXIES="127.0.0.1",
)

import django

django.setup()

# Models can be imported only after django.setup().
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import (  # noqa: E402
    api,
    api_beside,
    api_lists,
    associations,
    console,
    emails,
    exactness,
    issuer,
    journey,
    log_in,
    pages,
    provider,
)


def machine() -> str:
    """Return date, commit, machine and versions."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    processor = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database = cursor.fetchone()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {os.cpu_count()} × {processor}, "
        f"Python {sys.version.split()[0]}, Django {django.__version__}, PostgreSQL {database}"
    )


def measure_journey() -> Iterator[str]:
    before = os.environ.get("BEFORE")
    yield from journey.measure(Path(before) if before else None)


# The headings of the report, and what is measured beneath; the public pages come before.
PARTS = {
    "journey": ("The journey", measure_journey),
    "log_in": ("Log-in and registration", log_in.measure),
    "associations": ("The association", associations.measure),
    "exactness": ("Exactness", exactness.measure),
    "console": ("The console", console.measure),
    "emails": ("E-mails", emails.measure),
    "api": ("The API", api.measure),
    "api_lists": ("Far pages of the API", api_lists.measure),
    "api_beside": ("The landing page beside the API", api_beside.measure),
    "provider": ("The provider's programs", provider.measure),
    "issuer": ("An issuer that never answers", issuer.measure),
}


def measure(part: str) -> Iterator[str]:
    yield machine()
    if part in ("everything", "pages", "instructions"):
        yield from measure_pages(part)
    for name, (heading, measure_part) in PARTS.items():
        if part in ("everything", name):
            yield f"\n## {heading}\n"
            yield from measure_part()


def measure_pages(part: str) -> Iterator[str]:
    urls = pages.make_pages()
    yield "\n## Public pages\n"
    if part != "instructions":
        yield from pages.compare(urls)
        yield ""
        yield from pages.count(urls)
        yield ""
    if part != "pages":
        yield from pages.weigh(urls)


def main() -> None:
    """Prepare the database and print the results; `visit` only visits the URLs on stdin."""
    if sys.argv[1:] == ["visit"]:
        visit = pages.visitor()
        for line in sys.stdin:
            visit(line.strip())
        return
    if connection.vendor != "postgresql":
        sys.exit("Set DATABASE_URL to an empty database on PostgreSQL.")
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    for line in measure(sys.argv[1] if len(sys.argv) > 1 else "everything"):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

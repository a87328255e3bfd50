"""Measures everything and prints it as Markdown.

    DATABASE_URL=postgres://… python -m benchmarks [pages|instructions|journey|associations|console]

The database must be an empty one on PostgreSQL; what is made there stays. BEFORE names a second
checkout whose journey is measured beside this one's.
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
    # The load comes from many clients, as a proxy would tell it; or all would meet the limit.
    TRUSTED_PROXIES="127.0.0.1",
)

import django

django.setup()

# Only now: models can be imported once Django is set up.
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from benchmarks import associations, console, journey, pages  # noqa: E402


def machine() -> str:
    """Return when, on which commit and on what machine this is measured."""
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


def measure(what: str) -> Iterator[str]:
    """Yield the lines of the page."""
    yield machine()
    if what in ("everything", "pages", "instructions"):
        made = pages.make_pages()
        yield "\n## Pages of strangers\n"
        if what != "instructions":
            yield from pages.compare(made)
            yield ""
            yield from pages.count(made)
            yield ""
        if what != "pages":
            yield from pages.weigh(made)
    if what in ("everything", "journey"):
        yield "\n## The journey\n"
        before = os.environ.get("BEFORE")
        yield from journey.measure(Path(before) if before else None)
    if what in ("everything", "associations"):
        yield "\n## The association\n"
        yield from associations.measure()
    if what in ("everything", "console"):
        yield "\n## The console\n"
        yield from console.measure()


def main() -> None:
    """Prepare the database, then print line by line; or only visit what is told, for valgrind."""
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

"""`make run`: makes the demo ready, then serves the site with the worker beside it until Ctrl-C."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import django
import environ
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from demo.issuer import NAME, SHOWN, issuer_command, issuer_setting

ROOT = Path(__file__).resolve().parent.parent
BASE_URL_FILE = ROOT / "var" / "public_base_url"
HOST = "127.0.0.1"
OLD_TABLES = (
    "The tables in the database are those of an older version: run 'make clean', or empty the "
    "database that DATABASE_URL names."
)

# The test issuer's port, counted from the demo's.
ISSUER_OFFSET = 100
# How long the web server and the worker may take to end before they are made to.
END_WITHIN_SECONDS = 10
LOOK_EVERY_SECONDS = 0.1


def main() -> None:
    port = chosen_port()
    refuse_busy(port)
    complete_environment(port)
    if shows_issuer():
        refuse_busy(port + ISSUER_OFFSET)
    prepare()
    sys.exit(serve(port))


def chosen_port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65_535:
        sys.exit(f"PORT={text} is not a port: give a number from 1 to 65535.")
    return int(text)


def refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            sys.exit(f"Port {port} needs more rights than you have: try 'PORT=8000 make run'.")
        except OSError:
            sys.exit(f"Port {port} is already in use: try 'PORT={port + 1} make run'.")


def complete_environment(port: int) -> None:
    os.environ["PORT"] = str(port)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("WEB_GRACEFUL_TIMEOUT", "5")
    os.environ.setdefault("DEMO", "1")
    # The server gives the memory of each hashed password back; see docs/deployment.md.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "1048576")
    # Fewer log lines, so that the printed link stays visible.
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if environ.Env().bool("DEMO"):
        os.environ.setdefault("PUBLIC_BASE_URL", f"http://{HOST}:{port}")
        if shows_issuer():
            os.environ.setdefault("OIDC_PROVIDERS", issuer_setting(port + ISSUER_OFFSET))
        for page in ("BILLING", "CONSOLE", "ENTERPRISE"):
            url = f"https://{page.lower()}.provider.example/"
            os.environ.setdefault(f"PROVIDER_{page}_URL", url)


def shows_issuer() -> bool:
    """Return whether DEMO_OIDC=1 asks for a test issuer beside the demo."""
    env = environ.Env()
    return bool(env.bool("DEMO") and env.bool("DEMO_OIDC", default=False))


def prepare() -> None:
    django.setup()
    # Only now: the settings are read when Django is set up.
    from django.conf import settings  # noqa: PLC0415

    try:
        migrate()
        call_command("createcachetable", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if settings.DEMO:
            call_command("demo")
    except CommandError as error:
        sys.exit(str(error))
    except DatabaseError as error:
        sys.exit(f"The database could not be prepared: {str(error).strip()}")
    finally:
        connections.close_all()


def migrate() -> None:
    """Bring the tables up to date; end if an older version made them by other first migrations.

    Django does not notice that the code of an applied migration changed.
    """
    try:
        call_command("migrate", interactive=False, verbosity=0)
        is_old = tables_are_old()
    except InconsistentMigrationHistory:
        is_old = True
    except DatabaseError as error:
        is_old = "already exists" in str(error) or tables_are_old()
        if not is_old:
            raise
    if is_old:
        sys.exit(OLD_TABLES)


def tables_are_old() -> bool:
    """Return whether all migrations are applied, but a table lacks a column of its model.

    It may have others: a column that is used no more stays for the nodes of the version before.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return False
    models = [model._meta for model in apps.get_models(include_auto_created=True)]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in models:
            if not model.managed or model.proxy:
                continue
            if model.db_table not in tables:
                return True
            # Django's introspection cannot read every constraint that SQLite can have.
            table = connection.ops.quote_name(model.db_table)
            cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608 - a name of ours
            columns = {field.column for field in model.local_concrete_fields}
            if not columns <= {column[0] for column in cursor.description}:
                return True
    return False


def serve(port: int) -> int:
    # Commands beside it print links to this server.
    BASE_URL_FILE.write_text(os.environ.get("PUBLIC_BASE_URL", ""))
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: received.append(number))
    with children(port) as running:
        parent, announced = os.getppid(), False
        # When the parent process ends, Ctrl-C can reach this one no more.
        while not received and os.getppid() == parent:
            for name, child in running.items():
                if child.poll() is not None:
                    say(f"{name} ended by itself (exit code {child.returncode}): ending all.")
                    return 1
            if not announced and answers(port):
                announced = True
                if shows_issuer():
                    say_who_logs_in()
                say(f"Serving at {os.environ.get('PUBLIC_BASE_URL')}. Ctrl-C ends it.")
            time.sleep(LOOK_EVERY_SECONDS)
    return 0


@contextlib.contextmanager
def children(port: int) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Start the programs; at the end terminate them, and kill one that does not end in time."""
    gunicorn = ["-m", "gunicorn", "--log-level", "warning", "-c", "config/gunicorn.conf.py"]
    programs = {
        "The web server": [*gunicorn, "config.wsgi:application"],
        "The worker": ["manage.py", "worker"],
    }
    if shows_issuer():
        programs["The test issuer"] = issuer_command(port + ISSUER_OFFSET)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in programs.items():
            running[name] = subprocess.Popen([sys.executable, *arguments], cwd=ROOT)  # noqa: S603
        yield running
    finally:
        for child in running.values():
            child.terminate()
        last_moment = time.monotonic() + END_WITHIN_SECONDS
        for child in running.values():
            try:
                child.wait(timeout=max(0, last_moment - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def say_who_logs_in() -> None:
    say(f"\nLog in with {NAME} (the test issuer), under “Continue with …”, as:")
    for name, shown in SHOWN.items():
        say(f"  {name:<27}{shown}")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted.")

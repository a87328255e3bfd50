"""`make run` and commands beside it: the demo's key and address, tables of an older version."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config import run

ROOT = Path(settings.BASE_DIR)
APPLIED = [(app, name) for app, name in MigrationLoader(None).disk_migrations]


def program(*arguments, cwd=ROOT, **environment):
    """Run Python with only these settings in its environment."""
    return subprocess.run(  # noqa: S603 - this project's own code
        [sys.executable, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path):
    """A checkout with a var/ of its own."""
    for package in ("config", "accounts", "web"):
        shutil.copytree(ROOT / package, tmp_path / package)
    return tmp_path


def key_and_base(checkout, **environment):
    code = "from config import settings; print(settings.SECRET_KEY, settings.PUBLIC_BASE_URL)"
    answer = program("-c", code, cwd=checkout, DEMO="1", **environment)
    assert answer.stderr == ""
    return answer.stdout.split()


def test_demo_commands_share_one_generated_key(checkout):
    key, base = key_and_base(checkout)
    assert (len(key), base) == (64, "http://127.0.0.1:8000")
    assert key_and_base(checkout) == [key, base]
    file = checkout / "var" / "secret_key"
    assert (file.read_text(), file.stat().st_mode & 0o777) == (key, 0o600)
    assert [path.name for path in (checkout / "var").iterdir()] == ["secret_key"]


def test_demo_commands_print_links_to_where_make_run_serves(checkout):
    key_and_base(checkout)
    (checkout / "var" / run.BASE_URL_FILE.name).write_text("http://127.0.0.1:8090")
    assert key_and_base(checkout)[1] == "http://127.0.0.1:8090"


def test_environment_decides_before_the_files(checkout):
    given = {"SECRET_KEY": "mine", "PUBLIC_BASE_URL": "https://example.com"}
    assert key_and_base(checkout, **given) == ["mine", "https://example.com"]
    assert not (checkout / "var" / "secret_key").exists()


def test_empty_key_ends_with_a_message(checkout):
    (checkout / "var").mkdir()
    (checkout / "var" / "secret_key").touch()
    answer = program("-c", "from config import settings", cwd=checkout, DEMO="1")
    assert answer.stderr == "var/secret_key is empty: delete it and try again.\n"


def test_make_run_tells_commands_its_address(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "BASE_URL_FILE", tmp_path / "public_base_url")
    monkeypatch.setenv("PUBLIC_BASE_URL", "http://127.0.0.1:8090")
    monkeypatch.setattr(run, "children", None)
    with pytest.raises(TypeError):
        run.serve(8090)
    assert (tmp_path / "public_base_url").read_text() == "http://127.0.0.1:8090"


@pytest.mark.parametrize(
    ("applied", "tables"),
    [
        pytest.param(APPLIED, (), id="applied migrations that made other tables"),
        pytest.param([("association", "0001_initial")], (), id="order that is impossible today"),
        pytest.param([], ("accounts_user",), id="table of a migration that is not applied"),
    ],
)
def test_database_of_an_older_version_ends_with_a_message(tmp_path, applied, tables):
    file = tmp_path / "old.sqlite3"
    with sqlite3.connect(file) as old:
        old.execute(
            "CREATE TABLE django_migrations"
            " (id INTEGER PRIMARY KEY, app TEXT, name TEXT, applied TEXT)"
        )
        rows = [(app, name, "2026-01-01") for app, name in applied]
        old.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, ?)", rows)
        for table in tables:
            old.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY)")
    code = "from config import run; run.complete_environment(8000); run.prepare()"
    answer = program("-c", code, DATABASE_URL=f"sqlite:///{file}", SECRET_KEY="x")
    assert (answer.returncode, answer.stderr) == (1, f"{run.OLD_TABLES}\n")


@pytest.mark.django_db
def test_missing_column_is_noticed():
    assert not run.tables_are_old()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_coupon RENAME COLUMN balance TO amount")
    assert run.tables_are_old()


def test_message_names_make_clean():
    assert "'make clean'" in run.OLD_TABLES


@pytest.mark.parametrize(("demo", "address"), [("1", "support@provider.example"), ("0", "")])
def test_only_the_demo_names_a_support_address(demo, address):
    """Also without `make run`: its frozen customers are told to ask the provider's support."""
    code = "from config import settings; print(settings.PROVIDER_SUPPORT_EMAIL)"
    values = {"DEMO": demo, "SECRET_KEY": "x" * 50, "PUBLIC_BASE_URL": "https://a.example"}
    shown = program("-c", code, **values)
    assert (shown.returncode, shown.stdout.strip()) == (0, address)

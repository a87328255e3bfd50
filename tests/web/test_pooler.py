"""Behind PgBouncer: nothing that it rejects is used, and the role's limits are looked for."""

import pytest
from django.core.checks import run_checks
from django.db import connection
from environ import Env

from config.databases import database_settings

ADDRESS = "postgres://web@127.0.0.1:6432/name"
LIMITS = [
    "lock_timeout",
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "client_connection_check_interval",
]


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", ADDRESS)
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT_MS", "2000")
    return monkeypatch.setenv


def found():
    return [
        (message.id, message.msg.partition(" ")[0])
        for message in run_checks(include_deployment_checks=True)
        if message.id in {"web.W002", "web.W003"}
    ]


def test_directly_the_limits_are_start_up_options_and_statements_can_be_prepared(
    environment, tmp_path
):
    database = database_settings(Env(), tmp_path)
    assert "statement_timeout=2000" in database["OPTIONS"]["options"]
    assert database["OPTIONS"]["prepare_threshold"] is not None
    assert "DISABLE_SERVER_SIDE_CURSORS" not in database


def test_behind_a_pooler_there_are_none(environment, tmp_path):
    environment("DATABASE_POOLER", "pgbouncer")
    database = database_settings(Env(), tmp_path)
    assert "options" not in database["OPTIONS"]
    assert "prepare_threshold" not in database["OPTIONS"]
    assert database["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_an_unknown_pooler_ends_the_program_with_one_sentence(environment, tmp_path):
    environment("DATABASE_POOLER", "odyssey")
    with pytest.raises(SystemExit, match="DATABASE_POOLER=odyssey is not known"):
        database_settings(Env(), tmp_path)


@pytest.mark.django_db
def test_without_a_pooler_the_database_is_not_asked(settings, django_assert_num_queries):
    settings.DATABASE_POOLER = ""
    with django_assert_num_queries(0):
        assert found() == []


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("missing", [[], LIMITS[:1], LIMITS[2:], LIMITS])
def test_each_limit_that_is_not_in_force_is_a_warning(settings, missing):
    settings.DATABASE_POOLER = "pgbouncer"
    with connection.cursor() as cursor:
        for name in LIMITS:
            cursor.execute(f"SET LOCAL {name} = {0 if name in missing else 60_000}")
    assert found() == [("web.W002", name) for name in sorted(missing)]

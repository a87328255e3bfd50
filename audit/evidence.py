"""Triggers that keep evidence: its rows can be added and read, not changed or deleted by SQL.

Two ways of changing a row are left, and each is exact: shortening its network address, and erasure,
which puts a pseudonym into the values of an audit event. Migrations call `protect_evidence()`. On
SQLite a migration that rebuilds a protected table drops its triggers, and a new column is not
protected yet: such a migration calls it again (`tests/audit/test_evidence.py` notices).
"""

from dataclasses import dataclass
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from web.origin import NETWORK_BITS

_RUNNING = "SELECT 1 FROM audit_erasure WHERE"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A protected table, the sentence for those who try to change it, and what may change."""

    table: str
    sentence: str
    # The column with a network address, which may be shortened.
    address: str = ""
    # The columns with values, which an erasure may change.
    values: tuple[str, ...] = ()
    # A column that is empty while the row is a draft, which may be changed and deleted.
    final_since: str = ""


def protect_evidence(schema_editor: BaseDatabaseSchemaEditor, evidence: Evidence) -> None:
    """Make the triggers of one table, or make them again for its present columns."""
    unprotect_evidence(schema_editor, evidence)
    create = _create_postgresql if _is_postgresql(schema_editor) else _create_sqlite
    for statement in create(schema_editor, evidence):
        schema_editor.execute(statement)


def unprotect_evidence(schema_editor: BaseDatabaseSchemaEditor, evidence: Evidence) -> None:
    """Remove the triggers of one table."""
    if not _is_postgresql(schema_editor):
        for action in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {evidence.table}_{action}")
        return
    for trigger in ("keep_row", "keep_table"):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {evidence.table}")
    schema_editor.execute(f"DROP FUNCTION IF EXISTS {evidence.table}_keep()")


def _is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


# --- PostgreSQL


def _create_postgresql(_schema_editor: Any, evidence: Evidence) -> list[str]:
    table = evidence.table
    is_draft = f"OLD.{evidence.final_since} IS NULL" if evidence.final_since else "false"
    may_update = " OR ".join([is_draft, *_postgresql_ways(evidence)])
    return [
        f"""
        CREATE FUNCTION {table}_keep() RETURNS trigger LANGUAGE plpgsql AS $body$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF {may_update} THEN RETURN NEW; END IF;
            ELSIF TG_OP = 'DELETE' THEN
                IF {is_draft} THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION USING
                ERRCODE = 'integrity_constraint_violation', MESSAGE = '{evidence.sentence}';
        END $body$
        """,
        f"""
        CREATE TRIGGER keep_row BEFORE UPDATE OR DELETE ON {table}
        FOR EACH ROW EXECUTE FUNCTION {table}_keep()
        """,
        f"""
        CREATE TRIGGER keep_table BEFORE TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_keep()
        """,
    ]


def _postgresql_ways(evidence: Evidence) -> list[str]:
    ways = []
    if evidence.address:
        old, new = f"OLD.{evidence.address}", f"NEW.{evidence.address}"
        bits = f"CASE family({old}) WHEN 4 THEN {NETWORK_BITS[4]} ELSE {NETWORK_BITS[6]} END"
        shortened = f"host(network(set_masklen({old}, {bits})))::inet"
        ways.append(
            f"({_postgresql_same_but([evidence.address])}"
            f" AND {new} IS NOT DISTINCT FROM {shortened})"
        )
    if evidence.values:
        text = f"concat({', '.join(f'NEW.{name}' for name in evidence.values)})"
        same = _postgresql_same_but(evidence.values)
        ways.append(f"({same} AND EXISTS ({_RUNNING} strpos({text}, pseudonym) > 0))")
    return ways


def _postgresql_same_but(columns: Any) -> str:
    names = f"'{{{','.join(columns)}}}'::text[]"
    return f"to_jsonb(NEW) - {names} = to_jsonb(OLD) - {names}"


# --- SQLite


def _create_sqlite(schema_editor: BaseDatabaseSchemaEditor, evidence: Evidence) -> list[str]:
    table = evidence.table
    is_draft = f"OLD.{evidence.final_since} IS NULL" if evidence.final_since else "0"
    may_update = " OR ".join([is_draft, *_sqlite_ways(schema_editor, evidence)])
    return [
        f"""
        CREATE TRIGGER {table}_{action} BEFORE {action.upper()} ON {table}
        WHEN ({allowed}) IS NOT TRUE
        BEGIN SELECT RAISE(ABORT, '{evidence.sentence}'); END
        """
        for action, allowed in (("update", may_update), ("delete", is_draft))
    ]


def _sqlite_ways(schema_editor: BaseDatabaseSchemaEditor, evidence: Evidence) -> list[str]:
    with schema_editor.connection.cursor() as cursor:
        description = schema_editor.connection.introspection.get_table_description(
            cursor, evidence.table
        )
    columns = [column.name for column in description]
    ways = []
    if evidence.address:
        shortened = f"shortened_address(OLD.{evidence.address})"
        same = _sqlite_same_but([evidence.address], columns)
        ways.append(f"({same} AND NEW.{evidence.address} IS {shortened})")
    if evidence.values:
        text = " || ".join(f"ifnull(NEW.{name}, '')" for name in evidence.values)
        same = _sqlite_same_but(evidence.values, columns)
        ways.append(f"({same} AND EXISTS ({_RUNNING} instr({text}, pseudonym) > 0))")
    return ways


def _sqlite_same_but(changing: Any, columns: list[str]) -> str:
    return " AND ".join(f"NEW.{name} IS OLD.{name}" for name in columns if name not in changing)


AUDIT_EVENTS = Evidence(
    table="audit_auditevent",
    sentence="An audit event is evidence: it is not changed or deleted.",
    address="network_address",
    values=("before", "after"),
)

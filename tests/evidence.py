"""What the triggers on evidence forbid and tests need: emptying the tables, damage on purpose."""

from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from association.evidence import CONSENTS, DOCUMENTS
from audit.evidence import AUDIT_EVENTS, unprotect_evidence

EVIDENCE = {evidence.table: evidence for evidence in (AUDIT_EVENTS, CONSENTS, DOCUMENTS)}


def let_tests_flush_evidence() -> None:
    """Switch the triggers off while Django empties the tables, in the same transaction."""
    # Of the class: beside Playwright's event loop each test has a connection of its own.
    operations: Any = type(connection.ops)
    execute_sql_flush = operations.execute_sql_flush

    def execute_without_triggers(self: Any, statements: Any) -> None:
        before, after = _off_and_on()
        execute_sql_flush(self, [*before, *statements, *after])

    operations.execute_sql_flush = execute_without_triggers


def _off_and_on() -> tuple[list[str], list[str]]:
    if connection.vendor == "postgresql":
        off = [f"ALTER TABLE {table} DISABLE TRIGGER keep_table" for table in EVIDENCE]
        return off, [statement.replace("DISABLE", "ENABLE") for statement in off]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = cursor.fetchall()
    return [f"DROP TRIGGER {name}" for name, _sql in found], [sql for _name, sql in found]


def unprotected(model: type[Model]) -> QuerySet[Any]:
    """Drop the triggers until the test is rolled back; return rows that it can damage."""
    if connection.vendor == "postgresql":
        # Checks that still wait would keep the table from being changed.
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
    schema_editor = connection.SchemaEditorClass(connection)
    unprotect_evidence(schema_editor, EVIDENCE[model._meta.db_table])
    return QuerySet(model)

"""The engine `web.postgresql`: bounded waiting, and statements that are prepared on request."""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations

from web.postgresql import driver


class PreparingCursor(psycopg.Cursor[Any]):
    """Lets the server parse and plan a statement once per connection.

    Django's own cursors write the values into the statement, so each would be another one.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> "PreparingCursor":
        super().execute(query, params, prepare=True, **options)
        return self


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """Return a prepared statement without its values: the driver does not keep those."""
        return super().last_executed_query(cursor, sql, params) or str(sql)


class DatabaseWrapper(base.DatabaseWrapper):
    Database = driver
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.longest_wait = self.settings_dict.get("LONGEST_WAIT")
        return connection

    def close_if_health_check_failed(self) -> None:
        # Django does not translate the errors of connecting again here.
        with self.wrap_database_errors:
            super().close_if_health_check_failed()

    def fetch_prepared(self, sql: str, params: Sequence[Any], *, check: bool) -> list[Any]:
        """Return the rows of a statement that the server prepares once per connection.

        With `check` the connection is looked at first, as for Django's own cursors. Where a pooler
        forbids prepared statements, `prepare_threshold` is None, and nothing is prepared.
        """
        if check:
            self.close_if_health_check_failed()
        self.ensure_connection()
        driver_cursor: Any = PreparingCursor(self.connection)
        make_cursor = self.make_debug_cursor if self.queries_logged else self.make_cursor
        make_cursor(driver_cursor).execute(sql, params)
        # All rows have arrived, so Django's cursor has no errors to translate and none to close.
        rows: list[Any] = driver_cursor.fetchall()
        return rows

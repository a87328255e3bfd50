"""Indexes that are added while the system runs."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import ProgrammingError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation

logger = logging.getLogger(__name__)


class _Online(Operation):
    """Does its work while other programs use the table, where the database can (PostgreSQL).

    Elsewhere it is Django's own operation. For migrations with `atomic = False`.
    """

    model_name: str

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        elif self.allow_migrate_model(connection.alias, model):
            before = from_state.models[app_label, self.model_name.lower()]
            self.act(schema_editor, model, before)

    def act(self, editor: Any, model: Any, before: Any) -> None:
        """Change the database; `before` is the state of the model before the operation."""
        raise NotImplementedError


class AddIndexOnline(_Online, AddIndex):
    """Adds an index. What an attempt that failed has left behind is invalid, and dropped first."""

    def act(self, editor: Any, model: Any, before: Any) -> None:
        editor.remove_index(model, self.index, concurrently=True)
        editor.add_index(model, self.index, concurrently=True)


class RemoveIndexOnline(_Online, RemoveIndex):
    """Removes an index."""

    def act(self, editor: Any, model: Any, before: Any) -> None:
        editor.remove_index(model, before.get_index_by_name(self.name), concurrently=True)


class AddUniqueConstraintOnline(_Online, AddConstraint):
    """Adds a unique constraint with a condition, which is an index, in the same way."""

    def act(self, editor: Any, model: Any, before: Any) -> None:
        name = editor.quote_name(self.constraint.name)
        editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        sql = str(self.constraint.create_sql(model, editor))
        begin = "CREATE UNIQUE INDEX "
        if not sql.startswith(begin):
            raise ValueError(f"{self.constraint.name} is no index: {sql}")
        editor.execute(f"{begin}CONCURRENTLY {sql.removeprefix(begin)}")


class AddTrigramIndexOnline(Operation):
    """Adds an index for parts of words where the database has `pg_trgm`; else lists read the rows.

    Serves lookups with `contains`, or with `icontains` where `ignores_case`. For migrations with
    `atomic = False`. No state: Django's models cannot name an index that only one database has.
    """

    reduces_to_sql = False

    def __init__(
        self, model_name: str, name: str, columns: Sequence[str], *, ignores_case: bool = False
    ) -> None:
        self.model_name, self.name, self.columns = model_name, name, columns
        # As Django writes `icontains`.
        self.indexed = "UPPER({}::text)" if ignores_case else "{}"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: the models do not know the index."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        connection: Any = schema_editor.connection
        model = to_state.apps.get_model(app_label, self.model_name)
        if connection.vendor != "postgresql" or not _has_trigrams(schema_editor):
            return
        if not self.allow_migrate_model(connection.alias, model):
            return
        quote = connection.ops.quote_name
        columns = ", ".join(
            f"{self.indexed.format(quote(column))} gin_trgm_ops" for column in self.columns
        )
        # What an attempt that failed has left behind is not valid.
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quote(self.name)}")
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {quote(self.name)}"
            f" ON {quote(model._meta.db_table)} USING gin ({columns})"
        )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            name = schema_editor.connection.ops.quote_name(self.name)
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

    def describe(self) -> str:
        return f"Create trigram index {self.name} on model {self.model_name}"


def _has_trigrams(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    """Return whether the database has the extension, after adding it if this user may."""
    try:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except ProgrammingError as error:
        # Not installed beside the server, or this user may not add it.
        logger.warning("searching parts of words reads all rows: %s", error)
        return False
    return True

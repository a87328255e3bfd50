"""Indexes that are added while the system runs."""

import logging
from collections.abc import Sequence
from typing import Any

from django.db import ProgrammingError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation

logger = logging.getLogger(__name__)


class AddIndexOnline(AddIndex):
    """Adds an index while other programs write to the table, where the database can (PostgreSQL).

    For migrations with `atomic = False`. An attempt that failed leaves an invalid index behind, so
    that is dropped first.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        connection: Any = schema_editor.connection
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        editor: Any = schema_editor
        editor.remove_index(model, self.index, concurrently=True)
        editor.add_index(model, self.index, concurrently=True)


class RemoveIndexOnline(RemoveIndex):
    """Removes an index while other programs use the table; for migrations as above."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        connection: Any = schema_editor.connection
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = from_state.apps.get_model(app_label, self.model_name)
        if self.allow_migrate_model(connection.alias, model):
            index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
            editor: Any = schema_editor
            editor.remove_index(model, index, concurrently=True)


class AddUniqueConstraintOnline(AddConstraint):
    """Adds a unique constraint with a condition, which is an index, in the same way."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        connection: Any = schema_editor.connection
        if connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(connection.alias, model):
            return
        name = connection.ops.quote_name(self.constraint.name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        sql = str(self.constraint.create_sql(model, schema_editor))
        begin = "CREATE UNIQUE INDEX "
        if not sql.startswith(begin):
            raise ValueError(f"{self.constraint.name} is no index: {sql}")
        schema_editor.execute(f"{begin}CONCURRENTLY {sql.removeprefix(begin)}")


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

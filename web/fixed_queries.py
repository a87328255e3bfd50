"""Statements that Django writes once per process: building these cost more than running them.

Measured on 2026-11-28, in Python calls: an attempt with its relations 7,300 and now 470, an
account's record 7,200 and now 970, an invitation by its token 2,200 and now 250. A statement that
locks rows stays a queryset, which checks that there is a transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    connection,
    connections,
)
from django.db.models import QuerySet
from django.db.models.query import get_related_populators
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row")
Build = Callable[..., "QuerySet[Any, Row]"]
Converter = tuple[int, Any, list[Callable[..., Any]]]

# Examples, used as values while the SQL is compiled. No query has one of them as a constant.
KEY, TEXT, IDENTIFIER = -1, "\N{REPLACEMENT CHARACTER}", UUID(int=1)
MOMENT = datetime(9999, 1, 1, tzinfo=UTC)


class FixedQuery(Generic[Row]):
    """A query in which only values differ; it is compiled at its first use.

    PostgreSQL prepares it once per connection: its half of a page with fourteen statements fell
    from 2.4 ms to 1.0 (2026-11-28).
    """

    def __init__(
        self,
        build: "Build[Any]",
        examples: tuple[Any, ...],
        make: Callable[[list[Any]], Row] | None = None,
    ) -> None:
        self.build, self.examples, self.make = build, examples, make

    def all(self, *values: Any) -> list[Row]:
        """Run the query with these values and return its rows."""
        statement, converters, make = self._compiled
        rows = [list(row) for row in self._fetch(statement.sql, statement.params(values))]
        for place, column, functions in converters:
            for row in rows:
                for convert in functions:
                    row[place] = convert(row[place], column, connection)
        return [make(row) for row in rows]

    def first(self, *values: Any) -> Row | None:
        """Run the query with these values and return its first row, or None."""
        return next(iter(self.all(*values)), None)

    def _fetch(self, sql: str, params: list[Any]) -> list[Any]:
        # Looking up the connection once saves 15 Python calls.
        database: Any = connections[DEFAULT_DB_ALIAS]
        if database.vendor == "postgresql":
            return list(database.fetch_prepared(sql, params, check=True))
        with database.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    @cached_property
    def _compiled(self) -> "tuple[_Statement, list[Converter], Callable[[list[Any]], Any]]":
        rows: Any = self.build(*self.examples)
        compiler = rows.query.get_compiler(connection=connection)
        statement = _Statement.of(compiler, self.examples)
        found = compiler.get_converters([column for column, *_ in compiler.select])
        converters = [(place, column, functions) for place, (functions, column) in found.items()]
        # A queryset of values has fields of its own.
        make = _model_maker(rows, compiler) if rows._fields is None else tuple
        return statement, converters, self.make or make


class RepeatedQuery(FixedQuery[Row]):
    """A query that runs again on a new connection when its own was closed.

    So the connection is not checked before, which would be another statement. For the busiest page,
    and for what each call of the API reads.
    """

    def _fetch(self, sql: str, params: list[Any]) -> list[Any]:
        database: Any = connections[DEFAULT_DB_ALIAS]
        if database.vendor != "postgresql":
            return super()._fetch(sql, params)
        try:
            return list(database.fetch_prepared(sql, params, check=False))
        except (OperationalError, InterfaceError):
            # A connection that is open has refused the query, because of a time limit say.
            if database.in_atomic_block or not _is_closed(database.connection):
                raise
        database.close()
        return list(database.fetch_prepared(sql, params, check=False))


class FixedUpdate:
    """An UPDATE of the rows that a queryset finds, in which only the queryset's values differ."""

    def __init__(
        self, build: "Build[Any]", examples: tuple[Any, ...], changes: dict[str, Any]
    ) -> None:
        self.build, self.examples, self.changes = build, examples, changes

    def run(self, *values: Any) -> int:
        """Update the rows and return how many there were."""
        with connection.cursor() as cursor:
            cursor.execute(self._statement.sql, self._statement.params(values))
            return int(cursor.rowcount)

    @cached_property
    def _statement(self) -> "_Statement":
        query: Any = self.build(*self.examples).query.chain(UpdateQuery)
        query.add_update_values(self.changes)
        return _Statement.of(query.get_compiler(connection=connection), self.examples)


def fixed_query(*examples: Any) -> "Callable[[Build[Row]], FixedQuery[Row]]":
    """Make a FixedQuery of the function that returns the queryset for these values."""
    return lambda build: FixedQuery(build, examples)


def repeated_query(
    *examples: Any, make: Callable[[list[Any]], Row] | None = None
) -> "Callable[[Build[Any]], RepeatedQuery[Row]]":
    """Make a RepeatedQuery of the function that returns the queryset.

    `make` makes its rows; else they are what the queryset returns.
    """
    return lambda build: RepeatedQuery(build, examples, make)


def fixed_update(*examples: Any, **changes: Any) -> "Callable[[Build[Any]], FixedUpdate]":
    """Make a FixedUpdate of the function that returns the queryset for these values."""
    return lambda build: FixedUpdate(build, examples, changes)


def _is_closed(driver_connection: Any) -> bool:
    return getattr(driver_connection, "closed", False) is True


@dataclass(frozen=True, slots=True)
class _Statement:
    """Compiled SQL, with the constants among its parameters and the places of the values."""

    sql: str
    constants: list[Any]
    places: dict[int, int]

    @classmethod
    def of(cls, compiler: Any, examples: tuple[Any, ...]) -> "_Statement":
        sql, params = compiler.as_sql()
        numbers = {_adapted(example): number for number, example in enumerate(examples)}
        places = {place: numbers[value] for place, value in enumerate(params) if value in numbers}
        return cls(sql, list(params), places)

    def params(self, values: tuple[Any, ...]) -> list[Any]:
        params = self.constants.copy()
        for place, number in self.places.items():
            params[place] = _adapted(values[number])
        return params


def _adapted(value: Any) -> Any:
    """Return the value as this database's driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def _model_maker(rows: Any, compiler: Any) -> Callable[[list[Any]], Any]:
    """Return what makes a row's model with its relations, as iterating over a queryset does."""
    info, select, alias = compiler.klass_info, compiler.select, connection.alias
    places = info["select_fields"]
    names = [select[place][0].target.attname for place in places]
    annotations = compiler.annotation_col_map.items()
    # Django 6.1 also asks how fields that were not loaded are fetched.
    mode = getattr(rows, "_fetch_mode", None)
    populators = get_related_populators(info, select, alias, *([] if mode is None else [mode]))

    def make(row: list[Any]) -> Any:
        made = info["model"].from_db(alias, names, [row[place] for place in places])
        for name, place in annotations:
            setattr(made, name, row[place])
        for populator in populators:
            populator.populate(row, made)
        return made

    return make

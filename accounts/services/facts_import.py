"""Importing facts: created or updated by source and external id, and audited, all or nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount
from accounts.models.facts import Fact
from accounts.services.fact_forms import (
    ACCOUNT_FIELDS,
    FACT_FORMS,
    AccountForm,
    AccountUpdate,
    FactForm,
)
from accounts.services.fact_lines import BATCH, ImportReport, Line, validate_lines
from audit.services import record_audit_events
from web.transactions import whole_transaction

_FORMS: dict[str, type[FactForm]] = {**FACT_FORMS, "account": AccountForm}

Item = TypeVar("Item")
AnyFact = TypeVar("AnyFact", bound=Fact)
# A row to write, and what is stored of it, None if it is new.
FactChange = tuple[AnyFact, AnyFact | None]


@whole_transaction
def import_facts(*, lines: Iterable[Line], now: datetime, dry_run: bool = False) -> ImportReport:
    """Import the facts that the lines give, and return what was done.

    Idempotent by (source, external_id): a fact that is known and equal stays untouched, one that
    differs is updated. One transaction; nothing is written if a line is rejected, nor with
    `dry_run`. Every row that is created or changed gets an audit event.
    """
    report = ImportReport()
    rows = validate_lines(lines, _form_of, report)
    if report.errors:
        return report
    with transaction.atomic():
        for kind, form in FACT_FORMS.items():
            changes = changed_facts([row for row in rows if isinstance(row, form.model)], report)
            if not dry_run:
                write_facts(changes, action=f"{kind}.imported", now=now)
        for chunk in _chunks([row for row in rows if isinstance(row, AccountUpdate)]):
            _update_accounts(chunk, report, now, dry_run)
    return report


def changed_facts(rows: Sequence[AnyFact], report: ImportReport) -> list[FactChange[AnyFact]]:
    """Return the facts of one model that are new or differ from what is stored; count all."""
    changes: list[FactChange[AnyFact]] = []
    for chunk in _chunks(rows):
        rows_of_keys = type(chunk[0])._default_manager.filter(
            source__in={row.source for row in chunk},
            external_id__in=[row.external_id for row in chunk],
        )
        stored = {(row.source, row.external_id): row for row in rows_of_keys}
        for row in chunk:
            old = stored.get((row.source, row.external_id))
            if old is None:
                report.created += 1
            elif _values(old) == _values(row):
                report.unchanged += 1
                continue
            else:
                report.updated += 1
            changes.append((row, old))
    return changes


def write_facts(changes: Sequence[FactChange[Fact]], *, action: str, now: datetime) -> None:
    """Create or update the facts of one model; `action` is what their audit events say.

    Two statements for each 500 facts. Call it inside a transaction.
    """
    for chunk in _chunks(changes):
        model = type(chunk[0][0])
        model._default_manager.bulk_create(
            [row for row, _old in chunk],
            update_conflicts=True,
            unique_fields=["source", "external_id"],
            update_fields=_columns(model),
        )
        changed = [(row, _values(old) if old else None, _values(row)) for row, old in chunk]
        record_audit_events(action=action, changes=changed, by=None, now=now)


def _form_of(fields: dict[str, Any]) -> FactForm:
    kind = fields.pop("kind", None)
    if kind == "spending":
        raise ValidationError(_("Spending counts against budgets: use record_spending."))
    if not isinstance(kind, str) or kind not in _FORMS:
        known = ", ".join(_FORMS)
        raise ValidationError(_("Unknown kind. Known kinds: %(known)s.") % {"known": known})
    if kind == "enterprise_relation" and "member" not in fields and "account" in fields:
        fields["member"] = fields.pop("account")
    return _FORMS[kind](fields)


def _columns(model: type[Fact]) -> list[str]:
    names = (field.attname for field in model._meta.concrete_fields)
    return [name for name in names if name not in ("id", "source", "external_id")]


def _values(row: Fact) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _columns(type(row))}


def _update_accounts(
    updates: Sequence[AccountUpdate], report: ImportReport, now: datetime, dry_run: bool
) -> None:
    values = {update.account_id: update.values for update in updates}
    accounts = CustomerAccount.objects.select_for_update().filter(pk__in=values).order_by("pk")
    changes: list[tuple[CustomerAccount, dict[str, Any], dict[str, Any]]] = []
    for before in accounts.values("pk", *ACCOUNT_FIELDS):
        pk = before["pk"]
        after = {name: value for name, value in values[pk].items() if value != before[name]}
        if after:
            row = CustomerAccount(**before | after)
            changes.append((row, {name: before[name] for name in after}, after))
    report.updated += len(changes)
    report.unchanged += len(updates) - len(changes)
    if changes and not dry_run:
        CustomerAccount.objects.bulk_update([row for row, *_values in changes], ACCOUNT_FIELDS)
        record_audit_events(action="customeraccount.imported", changes=changes, by=None, now=now)


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]

"""Importing facts: created or updated by source and external id, and audited, all or nothing."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount
from accounts.models.facts import Fact
from accounts.services.fact_forms import (
    ACCOUNT_FIELDS,
    EXTERNAL_ID,
    FACT_FORMS,
    AccountForm,
    AccountUpdate,
    FactForm,
)
from accounts.services.fact_lines import ImportReport, Line, validate_lines
from accounts.services.fact_writes import (
    FactChange,
    apply_facts,
    chunks,
    count_changes,
    find_changes,
    write_facts,
)
from audit.models import Actor
from audit.services import record_audit_events

_FORMS: dict[str, type[FactForm]] = {**FACT_FORMS, "account": AccountForm}
_KINDS: Mapping[type[Fact], str] = {form.model: kind for kind, form in FACT_FORMS.items()}
# An account with its fields before and after.
_AccountChange = tuple[CustomerAccount, dict[str, Any], dict[str, Any]]
# The code of a line that would change an account where that is not allowed.
ACCOUNT_NOT_ALLOWED = "account_not_allowed"


class _Rejected(Exception):
    """Undoes the transaction; the report says why."""


def import_facts(
    *,
    lines: Iterable[Line],
    now: datetime,
    dry_run: bool = False,
    by: Actor = None,
    may_change_accounts: bool = True,
) -> ImportReport:
    """Import the facts that the lines give, and return what was done.

    Idempotent by (source, external_id): a fact that is known and equal stays untouched, one that
    differs is updated. One transaction; nothing is written if a line is rejected, nor with
    `dry_run`, nor a line of the kind "account" without `may_change_accounts`. Every row that is
    created or changed gets an audit event. Locks the accounts that the lines name, see
    `apply_facts()`.
    """
    report = ImportReport()
    form_of = partial(_form_of, may_change_accounts=may_change_accounts)
    rows = validate_lines(lines, form_of, report)
    if report.errors:
        return report
    facts = [row for row in rows if isinstance(row, Fact)]
    updates = [row for row in rows if isinstance(row, AccountUpdate)]
    if dry_run:
        count_changes(find_changes(facts), facts, report)
        _count_accounts(_account_changes(updates), updates, report)
        return report

    def write(changes: list[FactChange]) -> None:
        accounts = _account_changes(updates)
        _check_services(accounts, updates, report)
        write_facts(changes, action=lambda row: f"{_KINDS[type(row)]}.imported", by=by, now=now)
        _update_accounts(accounts, by, now)
        _count_accounts(accounts, updates, report)

    accounts = [update.account_id for update in updates]
    with suppress(_Rejected):
        apply_facts(rows=facts, write=write, report=report, more_accounts=accounts)
    return report


def _form_of(fields: dict[str, Any], *, may_change_accounts: bool) -> FactForm:
    kind = fields.pop("kind", None)
    if kind == "spending":
        text = _("Spending counts against budgets: use record_spending.")
        raise ValidationError(text, code="spending")
    if not isinstance(kind, str) or kind not in _FORMS:
        known = ", ".join(_FORMS)
        text = _("Unknown kind. Known kinds: %(known)s.") % {"known": known}
        raise ValidationError(text, code="unknown_kind")
    if kind == "account" and not may_change_accounts:
        raise ValidationError(_("Accounts may not be changed here."), code=ACCOUNT_NOT_ALLOWED)
    if kind == "enterprise_relation":
        _name_member(fields)
    return _FORMS[kind](fields)


def _name_member(fields: dict[str, Any]) -> None:
    """Take `account` for the member, as all other kinds name it."""
    if not {"member", "member" + EXTERNAL_ID} & fields.keys():
        for end in ("", EXTERNAL_ID):
            if "account" + end in fields:
                fields["member" + end] = fields.pop("account" + end)


def _account_changes(updates: Sequence[AccountUpdate]) -> list[_AccountChange]:
    values = {update.account_id: update.values for update in updates}
    changes: list[_AccountChange] = []
    for chunk in chunks(sorted(values)):
        accounts = CustomerAccount.objects.filter(pk__in=chunk).order_by("pk")
        for before in accounts.values("pk", *ACCOUNT_FIELDS):
            given = values[before["pk"]]
            after = {name: value for name, value in given.items() if value != before[name]}
            if after:
                row = CustomerAccount(**before | after)
                changes.append((row, {name: before[name] for name in after}, after))
    return changes


def _check_services(
    changes: Sequence[_AccountChange], updates: Sequence[AccountUpdate], report: ImportReport
) -> None:
    """Reject switching services off whose account joined a partner since its line was read."""
    lines = {update.account_id: update.line for update in updates}
    for row, _before, after in changes:
        if "services_enabled_at" in after:
            try:
                row.clean()
            except ValidationError as error:
                report.reject(lines[row.pk], error)
    if report.errors:
        raise _Rejected


def _count_accounts(
    changes: Sequence[_AccountChange], updates: Sequence[AccountUpdate], report: ImportReport
) -> None:
    report.updated += len(changes)
    report.unchanged += len(updates) - len(changes)


def _update_accounts(changes: Sequence[_AccountChange], by: Actor, now: datetime) -> None:
    for chunk in chunks(changes):
        CustomerAccount.objects.bulk_update([row for row, *_values in chunk], ACCOUNT_FIELDS)
        record_audit_events(action="customeraccount.imported", changes=chunk, by=by, now=now)

"""Writing the facts that lines give: made or updated by source and external id, and audited."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from accounts.models.facts import Fact
from accounts.services.fact_lines import FactLine, account_fields, fact_fields, model_of
from accounts.services.line_files import ImportReport
from audit.models import AuditEvent

# A row with what it held, None if it is new, and what it holds.
Change = tuple[models.Model, dict[str, Any] | None, dict[str, Any]]


def write_facts(
    *,
    lines: Sequence[FactLine],
    known: dict[str, int],
    report: ImportReport,
    action: str,
    now: datetime,
    dry_run: bool,
) -> None:
    """Make or update the facts of one kind and count them; four statements, whatever their number.

    `action` is what the audit events say. A dry run only counts. Call it inside a transaction.
    """
    kind = lines[0].kind
    model = model_of(kind)
    columns = [*(f"{name}_id" for name in account_fields(kind)), *fact_fields(model)]
    stored = stored_facts(lines)
    rows: list[Fact] = []
    before: list[dict[str, Any] | None] = []
    for line in lines:
        accounts = {f"{name}_id": known[account] for name, account in line.accounts.items()}
        wanted = accounts | line.values
        old = stored.get((line.source, line.external_id))
        held = None if old is None else {name: getattr(old, name) for name in columns}
        if held == wanted:
            report.unchanged += 1
            continue
        report.created += held is None
        report.updated += held is not None
        before.append(held)
        rows.append(model(source=line.source, external_id=line.external_id, **wanted))
    if dry_run or not rows:
        return
    model._default_manager.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["source", "external_id"],
        update_fields=[*account_fields(kind), *fact_fields(model)],
    )
    changes: list[Change] = [
        (row, held, {name: getattr(row, name) for name in columns})
        for row, held in zip(rows, before, strict=True)
    ]
    record_changes(action, changes, now)


def stored_facts(lines: Sequence[FactLine]) -> dict[tuple[str, str], Any]:
    """Return what is stored of the facts that the lines of one kind give, by their key."""
    ids = defaultdict(set)
    for line in lines:
        ids[line.source].add(line.external_id)
    wanted = Q()
    for source, external_ids in ids.items():
        wanted |= Q(source=source, external_id__in=external_ids)
    rows = model_of(lines[0].kind)._default_manager.filter(wanted)
    return {(row.source, row.external_id): row for row in rows}


def record_changes(action: str, changes: Sequence[Change], now: datetime) -> None:
    """Write the audit events of a batch in one statement; a command has no actor."""
    AuditEvent.objects.bulk_create(
        AuditEvent(
            occurred_at=now,
            action=action,
            object_label=row._meta.label_lower,
            object_id=str(row.pk),
            before=before,
            after=after,
        )
        for row, before, after in changes
    )

"""What a partner may see of one customer's past: freezes, budgets, authorizations, actions."""

from typing import Any

from django.db.models import Q

from accounts.models import Freeze
from association.models import Association, Authorization, Budget
from audit.models import AuditEvent

SHOWN = 50


def customer_record(association: Association) -> dict[str, list[Any]]:
    """Return `freezes`, `budgets`, `authorizations` and `actions`, newest first; four statements.

    Freezes from before the association are left out, unless they are still open. Actions are those
    of people on these rows, but not the customer's own.
    """
    freezes = association.account.freezes.filter(
        Q(frozen_at__gte=association.associated_at) | Q(unfrozen_at__isnull=True)
    )
    rows: dict[Any, list[Any]] = {
        Freeze: list(
            freezes.select_related("frozen_by", "unfrozen_by").order_by("-frozen_at", "-pk")[:SHOWN]
        ),
        Budget: list(
            association.budgets.select_related("set_by").order_by("-set_at", "-pk")[:SHOWN]
        ),
        Authorization: list(
            association.authorizations.select_related("requested_by", "consent__document").order_by(
                "-pk"
            )[:SHOWN]
        ),
    }
    about = Q()
    for model, shown in [(Association, [association]), *rows.items()]:
        if shown:
            keys = [str(row.pk) for row in shown]
            about |= Q(object_label=model._meta.label_lower, object_id__in=keys)
    events = AuditEvent.objects.filter(
        about, occurred_at__gte=association.associated_at, actor__isnull=False
    ).exclude(actor=association.account.owner_id)
    return {
        "freezes": rows[Freeze],
        "budgets": rows[Budget],
        "authorizations": rows[Authorization],
        "actions": list(events.select_related("actor").order_by("-occurred_at", "-pk")[:SHOWN]),
    }

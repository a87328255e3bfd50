from collections.abc import Iterator
from typing import Any

from django.db import migrations, models
from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, Subquery, Value, When

from web.online_indexes import AddIndexOnline

ROWS_AT_ONCE = 2_000


def parts_of(rows: Any) -> Iterator[Any]:
    """Yield the rows some at a time, in the order of their keys."""
    rest = rows.order_by("pk")
    while keys := list(rest.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        yield rest.filter(pk__lte=keys[-1])
        rest = rows.order_by("pk").filter(pk__gt=keys[-1])


def fill_attempts(apps: Any, schema_editor: Any) -> None:
    """Repeat what the invitation says; each part is a commit."""
    invitations = apps.get_model("partners", "Invitation").objects
    invitation = invitations.filter(pk=OuterRef("invitation"))
    attempts = apps.get_model("association", "Attempt").objects
    for part in parts_of(attempts.filter(channel="")):
        part.order_by().update(
            channel=Subquery(invitation.values("channel")),
            association_type=Subquery(invitation.values("association_type")),
        )


def fill_status(apps: Any, schema_editor: Any) -> None:
    """Write what the end, the budget and the open freezes say; each part is a commit."""
    freezes = apps.get_model("accounts", "Freeze").objects.filter(unfrozen_at=None)
    freezes = freezes.filter(account=OuterRef("account"))
    budgets = apps.get_model("association", "Budget").objects.filter(replaced_at=None)
    has_budget = Exists(budgets.filter(association=OuterRef("pk")))

    def is_frozen_by(cause: str) -> Any:
        condition = Q(ended_at=None) & Q(Exists(freezes.filter(cause=cause)))
        return ExpressionWrapper(condition, output_field=BooleanField())

    status = Case(
        When(ended_at__isnull=False, then=Value("ended")),
        When(~Q(has_budget), association_type="reseller", then=Value("waiting")),
        When(Exists(freezes), then=Value("frozen")),
        default=Value("free"),
    )
    associations = apps.get_model("association", "Association").objects
    for part in parts_of(associations.filter(status="")):
        part.order_by().update(
            status=status,
            is_frozen_by_joining=is_frozen_by("association"),
            is_out_of_budget=is_frozen_by("budget_exhausted"),
        )


class Migration(migrations.Migration):
    # Rows and indexes are written while the system runs.
    atomic = False

    dependencies = [("association", "0017_stored_facts")]

    operations = [
        migrations.RunPython(fill_attempts, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(fill_status, migrations.RunPython.noop, elidable=True),
        AddIndexOnline(
            model_name="association",
            index=models.Index(fields=["partner", "status", "-associated_at", "-id"], name="customer_by_status"),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(fields=["partner", "association_type", "-associated_at", "-id"], name="customer_by_type"),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(condition=models.Q(("is_frozen_by_joining", True)), fields=["partner", "associated_at", "id"], name="customer_frozen_by_joining"),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(condition=models.Q(("is_out_of_budget", True)), fields=["partner", "associated_at", "id"], name="customer_out_of_budget"),
        ),
        AddIndexOnline(
            model_name="attempt",
            index=models.Index(fields=["partner", "association_type", "-started_at", "-id"], name="attempt_by_type"),
        ),
        AddIndexOnline(
            model_name="attempt",
            index=models.Index(fields=["partner", "channel", "-started_at", "-id"], name="attempt_by_channel"),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(
                fields=["manager", "sort_name", "id"], name="customer_of_manager_by_name"
            ),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(
                fields=["partner", "status", "sort_name", "id"], name="customer_by_status_and_name"
            ),
        ),
        AddIndexOnline(
            model_name="association",
            index=models.Index(
                fields=["partner", "associated_at", "attempt"], name="customer_attempt_by_moment"
            ),
        ),
    ]

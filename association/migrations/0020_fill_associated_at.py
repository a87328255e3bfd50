from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

from web.online_indexes import AddIndexOnline, RemoveIndexOnline

ROWS_AT_ONCE = 2_000


def fill_attempts(apps: Any, schema_editor: Any) -> None:
    """Repeat when the association was made; each part is a commit."""
    associations = apps.get_model("association", "Association").objects
    attempts = apps.get_model("association", "Attempt").objects
    made = associations.filter(attempt=OuterRef("pk")).values("associated_at")
    rest = associations.filter(attempt__associated_at=None).order_by("attempt")
    while keys := list(rest.values_list("attempt", flat=True)[:ROWS_AT_ONCE]):
        attempts.filter(pk__in=keys).update(associated_at=Subquery(made))
        rest = rest.filter(attempt__gt=keys[-1])


class Migration(migrations.Migration):
    # Rows and indexes are written while the system runs.
    atomic = False

    dependencies = [("association", "0019_attempt_associated_at")]

    operations = [
        migrations.RunPython(fill_attempts, migrations.RunPython.noop, elidable=True),
        AddIndexOnline(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("associated_at__isnull", False)),
                fields=["partner", "-associated_at"],
                name="attempt_associated",
            ),
        ),
        RemoveIndexOnline(model_name="association", name="customer_attempt_by_moment"),
    ]

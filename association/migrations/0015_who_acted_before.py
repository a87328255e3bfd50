from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """Say of earlier rows what the pages said: who may open the admin now, acted for us."""
    budgets = apps.get_model("association", "Budget").objects
    budgets.filter(set_by__is_staff=True).update(set_by_provider=True)
    authorizations = apps.get_model("association", "Authorization").objects
    authorizations.filter(requested_by__is_staff=True).update(requested_by_provider=True)


class Migration(migrations.Migration):

    dependencies = [("association", "0014_who_acted"), ("accounts", "0009_who_froze_before")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

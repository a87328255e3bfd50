from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """Say of earlier freezes what the pages said: who may open the admin now, acted for us."""
    freezes = apps.get_model("accounts", "Freeze").objects
    freezes.filter(frozen_by__is_staff=True).update(frozen_by_provider=True)
    freezes.filter(unfrozen_by__is_staff=True).update(unfrozen_by_provider=True)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0008_who_froze")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

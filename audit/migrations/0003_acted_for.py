from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from audit.evidence import AUDIT_EVENTS, protect_evidence


def protect(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the triggers again: they name the columns."""
    protect_evidence(schema_editor, AUDIT_EVENTS)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_evidence'),
    ]

    operations = [
        migrations.AddField(
            model_name='auditevent',
            name='acted_for',
            field=models.BigIntegerField(blank=True, null=True, verbose_name='acted for'),
        ),
        migrations.RunPython(protect, migrations.RunPython.noop),
    ]

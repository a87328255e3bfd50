from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from association.evidence import CONSENTS, DOCUMENTS
from audit.evidence import protect_evidence, unprotect_evidence


def protect(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for evidence in (CONSENTS, DOCUMENTS):
        protect_evidence(schema_editor, evidence)


def unprotect(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for evidence in (CONSENTS, DOCUMENTS):
        unprotect_evidence(schema_editor, evidence)


class Migration(migrations.Migration):

    dependencies = [
        ('association', '0005_told_before'),
        ('audit', '0002_evidence'),
    ]

    operations = [
        migrations.RunPython(protect, unprotect),
    ]

from datetime import UTC
from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """Take over what was told and e-mailed before."""
    told_once = apps.get_model("association", "PartnerTold")
    resume_email = apps.get_model("association", "ResumeEmail")
    attempts = apps.get_model("association", "Attempt").objects.filter(account__isnull=False)
    told = attempts.filter(told_partner_at__isnull=False).order_by("told_partner_at")
    told_once.objects.bulk_create(
        (
            told_once(account_id=account, invitation_id=invitation, told_at=told_at)
            for account, invitation, told_at in told.values_list(
                "account_id", "invitation_id", "told_partner_at"
            )
        ),
        batch_size=500,
        ignore_conflicts=True,
    )
    deferred = attempts.filter(deferred_at__isnull=False).order_by("deferred_at")
    resume_email.objects.bulk_create(
        (
            resume_email(
                account_id=account, attempt_id=attempt, sent_on=deferred_at.astimezone(UTC).date()
            )
            for account, attempt, deferred_at in deferred.values_list(
                "account_id", "pk", "deferred_at"
            )
        ),
        batch_size=500,
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):

    dependencies = [("association", "0004_told_once")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

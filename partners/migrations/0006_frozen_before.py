from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """Date the present freezes by the audit trail; no reason was asked for."""
    events = apps.get_model("audit", "AuditEvent").objects.filter(
        object_label="partners.partner", after__status="frozen"
    )
    partners = apps.get_model("partners", "Partner").objects
    for partner in partners.filter(status="frozen", frozen_at__isnull=True):
        event = events.filter(object_id=str(partner.pk)).order_by("-pk").first()
        partners.filter(pk=partner.pk).update(
            frozen_at=event.occurred_at if event else partner.updated_at,
            frozen_by=event.actor_id if event else None,
        )


class Migration(migrations.Migration):

    dependencies = [("partners", "0005_partner_freezes"), ("audit", "0001_initial")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

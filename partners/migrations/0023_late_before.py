from typing import Any

from django.db import migrations


def fill(apps: Any, _schema_editor: Any) -> None:
    """Mark the invitations whose newest e-mail was dropped late before that was kept."""
    emails = apps.get_model("outbox", "OutboxMessage").objects.filter(
        kind="partners.invitation", about_label="partners.invitation"
    )
    invitations = apps.get_model("partners", "Invitation").objects.filter(channel="email")
    late = emails.filter(drop_reason="deadline passed").order_by("pk")
    for about_id, key, dropped_at in late.values_list("about_id", "pk", "dropped_at").iterator():
        is_newest = not emails.filter(about_id=about_id, pk__gt=key).exists()
        if about_id.isdecimal() and is_newest:
            invitations.filter(pk=int(about_id)).update(undelivered_at=dropped_at)


class Migration(migrations.Migration):

    dependencies = [
        ("partners", "0022_invitation_metadata"),
        ("outbox", "0004_dead_messages"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]

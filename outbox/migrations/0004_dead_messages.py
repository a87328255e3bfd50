"""An index of the messages that could not be delivered, which the admin counts."""

from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outbox", "0003_suppression")]

    operations = [
        AddIndexOnline(
            model_name="outboxmessage",
            index=models.Index(
                condition=models.Q(("dead_at__isnull", False)),
                fields=["-dead_at"],
                name="outbox_dead",
            ),
        )
    ]

from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("outbox", "0005_events")]

    operations = [
        AddIndexOnline(
            model_name="outboxmessage",
            index=models.Index(fields=["created_at"], name="outbox_by_moment"),
        ),
    ]

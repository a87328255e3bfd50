from django.db import migrations, models

from web.online_indexes import AddIndexOnline

OF_PARTNER = models.Q(partner_id__isnull=False)
NUMBERED = models.Q(position__isnull=False)


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("outbox", "0007_partner_of_messages")]

    operations = [
        AddIndexOnline(
            model_name="outboxmessage",
            index=models.Index(
                fields=["partner_id", "created_at"],
                condition=OF_PARTNER,
                name="outbox_by_partner",
            ),
        ),
        AddIndexOnline(
            model_name="event",
            index=models.Index(
                fields=["kind", "position"], condition=NUMBERED, name="event_feed_of_kind"
            ),
        ),
        AddIndexOnline(
            model_name="event",
            index=models.Index(
                fields=["partner_id", "kind", "position"],
                condition=OF_PARTNER & NUMBERED,
                name="event_feed_of_partner_and_kind",
            ),
        ),
    ]

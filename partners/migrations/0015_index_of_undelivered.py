from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("partners", "0014_undelivered_invitations")]

    operations = [
        AddIndexOnline(
            model_name="invitation",
            index=models.Index(
                condition=models.Q(("undelivered_at__isnull", False)),
                fields=["partner", "-created_at", "-id"],
                name="invitation_undelivered",
            ),
        ),
    ]

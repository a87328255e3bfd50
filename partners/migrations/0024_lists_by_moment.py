from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("partners", "0023_late_before")]

    operations = [
        AddIndexOnline(
            model_name="invitationrequest",
            index=models.Index(fields=["requested_at"], name="invitation_request_by_moment"),
        ),
        AddIndexOnline(
            model_name="invitation",
            index=models.Index(
                condition=models.Q(("expires_at__isnull", False)),
                fields=["expires_at"],
                name="expiring_invitation",
            ),
        ),
    ]

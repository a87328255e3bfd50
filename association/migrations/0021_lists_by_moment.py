from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("association", "0020_fill_associated_at")]

    operations = [
        AddIndexOnline(
            model_name="attempt",
            index=models.Index(fields=["started_at"], name="attempt_by_moment"),
        ),
        AddIndexOnline(
            model_name="budget",
            index=models.Index(fields=["set_at"], name="budget_by_moment"),
        ),
    ]

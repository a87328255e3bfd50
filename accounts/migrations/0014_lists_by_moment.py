from django.db import migrations, models

from web.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("accounts", "0013_external_ids_online")]

    operations = [
        AddIndexOnline(
            model_name="customeraccount",
            index=models.Index(fields=["registered_at"], name="account_by_moment"),
        ),
        AddIndexOnline(
            model_name="freeze",
            index=models.Index(fields=["frozen_at"], name="freeze_by_moment"),
        ),
        AddIndexOnline(
            model_name="spending",
            index=models.Index(fields=["occurred_at"], name="spending_by_moment"),
        ),
        AddIndexOnline(
            model_name="user",
            index=models.Index(fields=["created_at"], name="user_by_moment"),
        ),
    ]

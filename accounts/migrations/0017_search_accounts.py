from django.db import migrations

from web.online_indexes import AddTrigramIndexOnline


class Migration(migrations.Migration):
    # The index is made while the system runs.
    atomic = False

    dependencies = [("accounts", "0016_services_enabled_not_in_future")]

    operations = [
        AddTrigramIndexOnline(
            model_name="customeraccount",
            name="account_by_part_of_name_or_id",
            columns=["name", "external_id"],
            ignores_case=True,
        ),
    ]

from django.db import migrations

from web.online_indexes import AddTrigramIndexOnline


class Migration(migrations.Migration):
    # Indexes are made while the system runs.
    atomic = False

    dependencies = [("partners", "0010_index_of_listed_texts")]

    operations = [
        AddTrigramIndexOnline(
            model_name="invitation",
            name="invitation_by_part_of_text",
            columns=["label", "customer_name", "reference", "recipient_name", "recipient"],
            ignores_case=True,
        ),
    ]

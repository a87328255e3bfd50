from typing import Any

from django.db import migrations, models

from web.online_indexes import AddIndexOnline, AddTrigramIndexOnline

ROWS_AT_ONCE = 500
COLUMNS = ["customer_name", "shown_name", "sort_name", "search_names", "search_address"]


def fill_names(apps: Any, schema_editor: Any) -> None:
    """Name the customers that exist; some rows at a time, each time a commit."""
    associations = apps.get_model("association", "Association").objects
    rows = associations.filter(shown_name="").select_related("account__owner", "invitation")
    while chunk := list(rows.order_by("pk")[:ROWS_AT_ONCE]):
        for row in chunk:
            owner = row.account.owner
            if row.ended_at is None:
                row.customer_name = row.invitation.recipient_name
            names = list(filter(None, [row.customer_name, owner.account_name]))
            row.shown_name, row.sort_name = names[0], names[0].casefold()[:60]
            row.search_names = "\n".join(dict.fromkeys(names)).casefold()
            row.search_address = owner.email
        associations.bulk_update(chunk, COLUMNS)


class Migration(migrations.Migration):
    # Rows and indexes are written while the system runs.
    atomic = False

    dependencies = [("association", "0012_customer_names")]

    operations = [
        migrations.RunPython(fill_names, migrations.RunPython.noop, elidable=True),
        AddIndexOnline(
            model_name="association",
            index=models.Index(fields=["partner", "sort_name", "id"], name="customer_by_name"),
        ),
        AddTrigramIndexOnline(
            model_name="association",
            name="customer_by_part_of_name",
            columns=["search_names", "search_address"],
        ),
    ]

from typing import Any

from django.db import migrations, models

from web.online_indexes import AddIndexOnline, AddTrigramIndexOnline

ROWS_AT_ONCE = 500
DERIVED = ["shown_name", "sort_name", "search_names", "search_address"]


def fill_names(apps: Any, schema_editor: Any) -> None:
    """Derive the names of the customers that exist; some rows at a time, each time a commit."""
    associations = apps.get_model("association", "Association").objects
    rows = associations.filter(shown_name="").select_related("account__owner", "invitation")
    while chunk := list(rows.order_by("pk")[:ROWS_AT_ONCE]):
        for row in chunk:
            owner = row.account.owner
            names = [row.invitation.recipient_name, owner.account_name]
            row.shown_name = next(filter(None, names))
            row.sort_name = row.shown_name.casefold()[:60]
            row.search_names = "\n".join(dict.fromkeys(filter(None, names))).casefold()
            row.search_address = owner.email
        associations.bulk_update(chunk, DERIVED)


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

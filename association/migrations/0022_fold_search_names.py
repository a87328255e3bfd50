from typing import Any

from django.db import migrations

from web.folding import fold

ROWS_AT_ONCE = 500


def fold_names(apps: Any, schema_editor: Any) -> None:
    """Remove the accents of the names to search; some rows at a time, each time a commit."""
    rows = apps.get_model("association", "Association").objects.order_by("pk")
    rest = rows.only("pk", "search_names")
    while chunk := list(rest[:ROWS_AT_ONCE]):
        changed = [row for row in chunk if row.search_names != fold(row.search_names)]
        for row in changed:
            row.search_names = fold(row.search_names)
        rows.bulk_update(changed, ["search_names"])
        rest = rest.filter(pk__gt=chunk[-1].pk)


class Migration(migrations.Migration):
    # Rows are written while the system runs.
    atomic = False

    dependencies = [("association", "0021_lists_by_moment")]

    operations = [migrations.RunPython(fold_names, migrations.RunPython.noop, elidable=True)]

"""Addresses whose domain IDNA 2008 reads otherwise than IDNA 2003 did, as `info@straße.de`.

The user has proven the mailbox of the stored canonical form, so that stays; it replaces the one
typed, which now names another mailbox.
"""

from typing import Any

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Lower

from web.email_addresses import InvalidAddress, canonical_address


def keep_what_was_proven(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    different = users.exclude(email=Lower("email_original"))
    for key, stored, typed in different.values_list("pk", "email", "email_original").iterator():
        try:
            is_same = canonical_address(typed) == stored
        except InvalidAddress:
            is_same = False
        if not is_same:
            users.filter(pk=key).update(email_original=F("email"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_codes_kept_for_the_owner"),
    ]

    operations = [
        migrations.RunPython(keep_what_was_proven, migrations.RunPython.noop),
    ]

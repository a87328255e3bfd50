"""Let no log-in that idle time has ended come back when its user loses a power."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_addresses_by_idna_2008")]

    operations = [
        migrations.AddField(
            "user",
            "idle_limit_until",
            models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="idle time is limited until"
            ),
        ),
    ]

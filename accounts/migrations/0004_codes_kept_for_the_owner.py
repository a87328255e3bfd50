"""Tell the codes that were kept for the owner from those that anyone can ask for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_log_in_codes")]

    operations = [
        migrations.AddField(
            "verificationcode",
            "is_kept_for_owner",
            models.BooleanField(db_default=False, default=False, verbose_name="kept for the owner"),
        ),
    ]

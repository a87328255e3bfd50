"""Keep from when an attempt's next code is possible, and when a notice about it was dismissed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("association", "0008_end_requests")]

    operations = [
        migrations.AddField(
            "attempt",
            "code_again_at",
            models.DateTimeField(blank=True, null=True, verbose_name="next code possible at"),
        ),
        migrations.AddField(
            "attempt",
            "dismissed_at",
            models.DateTimeField(blank=True, null=True, verbose_name="notice dismissed at"),
        ),
    ]

"""Codes for a log-in with a new browser."""

from django.db import migrations, models

PURPOSES = ["register", "reset_password", "log_in"]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_retention")]

    operations = [
        migrations.RemoveConstraint("verificationcode", "verification_code_purpose_is_known"),
        migrations.AlterField(
            "verificationcode",
            "purpose",
            models.CharField(
                choices=[
                    ("register", "register"),
                    ("reset_password", "reset the password"),
                    ("log_in", "log in with a new browser"),
                ],
                max_length=16,
                verbose_name="purpose",
            ),
        ),
        migrations.AddConstraint(
            "verificationcode",
            models.CheckConstraint(
                condition=models.Q(purpose__in=PURPOSES),
                name="verification_code_purpose_is_known",
            ),
        ),
    ]

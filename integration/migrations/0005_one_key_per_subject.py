"""The constraint on subjects of tokens, made while the system runs."""

from django.db import migrations, models

from web.online_indexes import AddUniqueConstraintOnline


class Migration(migrations.Migration):
    # PostgreSQL makes the index outside a transaction.
    atomic = False

    dependencies = [("integration", "0004_subjects_of_tokens")]

    operations = [
        AddUniqueConstraintOnline(
            model_name="apikey",
            constraint=models.UniqueConstraint(
                fields=["issuer", "subject"],
                condition=~models.Q(subject=""),
                name="one_api_key_per_subject_of_an_issuer",
            ),
        ),
    ]

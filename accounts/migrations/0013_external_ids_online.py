"""Longer sources of facts, and the constraint on external ids, while the system runs."""

from django.db import migrations, models

from web.online_indexes import AddUniqueConstraintOnline

_FACTS = (
    *("bill", "cashexpenditure", "contract", "coupon"),
    *("enterpriserelation", "reservedinstance", "resource", "spending"),
)


class Migration(migrations.Migration):
    # Each statement locks one table for a moment: a longer varchar rewrites no row and no index.
    atomic = False

    dependencies = [("accounts", "0012_external_ids")]

    operations = [
        *(
            migrations.AlterField(
                model_name=name,
                name="source",
                field=models.CharField(max_length=255, verbose_name="source"),
            )
            for name in _FACTS
        ),
        AddUniqueConstraintOnline(
            model_name="customeraccount",
            constraint=models.UniqueConstraint(
                fields=["external_id"],
                condition=models.Q(external_id__isnull=False),
                name="external_id_names_one_customer_account",
                violation_error_message="Another account has this external id.",
            ),
        ),
    ]

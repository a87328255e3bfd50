"""Terms that invitations share with the batches they are made from."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.enums import AssociationType, BudgetPeriod, Channel, OnExhaustion


class TermsModel(models.Model):
    """What the customer's first budget begins with, and which e-mail addresses may join.

    `allowed_domains`: canonical domains with spaces between them; empty allows all.
    """

    budget_amount = models.DecimalField(
        _("budget preset"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    budget_period = models.CharField(
        _("period of the budget preset"),
        max_length=16,
        choices=BudgetPeriod.choices,
        blank=True,
        default="",
        db_default="",
    )
    budget_on_exhaustion = models.CharField(
        _("when the budget preset is used up"),
        max_length=16,
        choices=OnExhaustion.choices,
        blank=True,
        default="",
        db_default="",
    )
    allowed_domains = models.CharField(
        _("allowed e-mail domains"), max_length=500, blank=True, default="", db_default=""
    )

    class Meta:
        abstract = True


def terms_constraints(name: str) -> list[models.CheckConstraint]:
    """Return the constraints of these fields for the model of this name."""
    return [
        models.CheckConstraint(
            condition=Q(budget_amount__isnull=True, budget_period="", budget_on_exhaustion="")
            | Q(
                association_type=AssociationType.RESELLER,
                budget_amount__gte=0,
                budget_period__in=BudgetPeriod.values,
                budget_on_exhaustion__in=OnExhaustion.values,
            ),
            name=f"{name}_presets_a_whole_budget_of_a_reseller",
        ),
        models.CheckConstraint(
            condition=Q(allowed_domains="") | Q(channel=Channel.LINK),
            name=f"{name}_allows_domains_only_by_link",
        ),
    ]

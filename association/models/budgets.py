"""Budgets, the alerts about them, and customers' requests for one."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from association.enums import ASKS, FrozenAction
from association.models.associations import Association
from audit.models import actor_key
from partners.enums import BudgetPeriod, OnExhaustion

# In percent.
USED_UP = 100


class BudgetQuerySet(models.QuerySet["Budget"]):
    """Named sets of budgets."""

    def current(self) -> "BudgetQuerySet":
        return self.filter(replaced_at__isnull=True)


class Budget(models.Model):
    """One budget as it was set; another replaces it. Only `services/customers.py` writes it."""

    association = models.ForeignKey(
        Association,
        on_delete=models.PROTECT,
        related_name="budgets",
        verbose_name=_("association"),
    )
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=2)
    period = models.CharField(_("period"), max_length=16, choices=BudgetPeriod.choices)
    on_exhaustion = models.CharField(_("when used up"), max_length=16, choices=OnExhaustion.choices)
    set_at = models.DateTimeField(_("set at"))
    set_by = actor_key(_("set by"))
    # Whether an administrator of the provider acted for the partner then.
    set_by_provider = models.BooleanField(_("set by the provider"), default=False, db_default=False)
    replaced_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    objects = BudgetQuerySet.as_manager()

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        # The order of the provider's list.
        indexes = [models.Index(fields=["set_at"], name="budget_by_moment")]
        constraints = [
            models.UniqueConstraint(
                fields=["association"],
                condition=Q(replaced_at__isnull=True),
                name="one_current_budget_per_association",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="budget_is_not_negative"),
            models.CheckConstraint(
                condition=Q(period__in=BudgetPeriod.values), name="budget_period_is_known"
            ),
            models.CheckConstraint(
                condition=Q(on_exhaustion__in=OnExhaustion.values),
                name="budget_exhaustion_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.get_period_display()}"

    @property
    def state(self) -> str:
        """Return whether it is in force, or what became of it; reads the association."""
        if self.replaced_at is None:
            return str(_("current"))
        if self.replaced_at == self.association.ended_at:
            return str(_("ended with the association"))
        return str(_("replaced"))


class BudgetAlert(models.Model):
    """Both sides were told that so much of a budget was used, once per period and threshold."""

    budget = models.ForeignKey(
        Budget, on_delete=models.PROTECT, related_name="alerts", verbose_name=_("budget")
    )
    period_start = models.DateTimeField(_("period begins at"))
    threshold = models.PositiveSmallIntegerField(_("threshold in percent"))
    alerted_at = models.DateTimeField(_("alerted at"))

    class Meta:
        verbose_name = _("budget alert")
        verbose_name_plural = _("budget alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "period_start", "threshold"],
                name="one_budget_alert_per_period_and_threshold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.budget} – {self.threshold} %"

    @property
    def is_used_up(self) -> bool:
        return self.threshold == USED_UP


class BudgetRequest(models.Model):
    """The frozen customer asked the partner, once a day (UTC) at the most for each of `ASKS`."""

    association = models.ForeignKey(
        Association,
        on_delete=models.PROTECT,
        related_name="budget_requests",
        verbose_name=_("association"),
    )
    asked_for = models.CharField(
        _("asked for"),
        max_length=16,
        choices=[(ask.value, ask.label) for ask in ASKS],
        default=FrozenAction.SET_BUDGET,
        db_default=FrozenAction.SET_BUDGET,
    )
    asked_at = models.DateTimeField(_("asked at"))
    asked_on = models.DateField(_("asked on"))

    class Meta:
        verbose_name = _("request about a budget")
        verbose_name_plural = _("requests about a budget")
        constraints = [
            models.UniqueConstraint(
                fields=["association", "asked_on", "asked_for"],
                name="one_budget_request_per_association_day_and_subject",
            ),
            models.CheckConstraint(
                condition=Q(asked_for__in=ASKS), name="budget_request_subject_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.association} – {self.asked_on}"

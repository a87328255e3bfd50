"""Freezes: reversible stops of a customer account, each with who, when and why."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause, FreezeScope
from accounts.models.customers import CustomerAccount
from audit.models import actor_key


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Named sets of freezes."""

    def open(self) -> "FreezeQuerySet":
        return self.filter(unfrozen_at__isnull=True)


class Freeze(models.Model):
    """One freeze of one account. Written by `freeze_account()` and `unfreeze_account()` only."""

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="freezes",
        verbose_name=_("customer account"),
    )
    scope = models.CharField(_("scope"), max_length=24, choices=FreezeScope.choices)
    cause = models.CharField(_("cause"), max_length=20, choices=FreezeCause.choices)
    reason = models.CharField(_("reason"), max_length=256, blank=True)
    frozen_at = models.DateTimeField(_("frozen at"))
    frozen_by = actor_key(_("frozen by"))
    unfrozen_at = models.DateTimeField(_("unfrozen at"), null=True, blank=True)
    unfrozen_by = actor_key(_("unfrozen by"))
    unfreeze_reason = models.CharField(_("reason for unfreezing"), max_length=256, blank=True)

    objects = FreezeQuerySet.as_manager()

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        indexes = [
            models.Index(
                fields=["cause", "account"],
                condition=Q(unfrozen_at__isnull=True),
                name="open_freeze_by_cause",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "cause"],
                condition=Q(unfrozen_at__isnull=True),
                name="one_open_freeze_per_account_and_cause",
            ),
            models.CheckConstraint(
                condition=Q(unfrozen_at__isnull=True) | Q(unfrozen_at__gte=F("frozen_at")),
                name="freeze_ends_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(unfrozen_at__isnull=False)
                | Q(unfrozen_by__isnull=True, unfreeze_reason=""),
                name="freeze_is_unfrozen_by_someone_only_when_unfrozen",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=FreezeScope.values), name="freeze_scope_is_known"
            ),
            models.CheckConstraint(
                condition=Q(cause__in=FreezeCause.values), name="freeze_cause_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.cause}"

    @property
    def is_open(self) -> bool:
        return self.unfrozen_at is None

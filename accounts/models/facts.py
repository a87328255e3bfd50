"""Facts about customer accounts that eligibility rules and pages read; loaded, never guessed."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, Billing, ContractType, MemberType, ResourceStatus
from accounts.models.customers import CustomerAccount, fault_of_early

if TYPE_CHECKING:
    from django.db.models.fields.related import ForeignKey
    from django_stubs_ext import StrPromise

# How far the clock of another system may be before ours.
CLOCKS_DIFFER_BY = timedelta(minutes=5)
# Moments beyond are written for "never", which rules would take for a real one.
_LONGEST_AHEAD = timedelta(days=50 * 365)


def _account_key(related_name: str) -> "ForeignKey[CustomerAccount, CustomerAccount]":
    return models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name=related_name,
        verbose_name=_("customer account"),
    )


def _amount(label: "StrPromise") -> "models.DecimalField[Decimal | str, Decimal]":
    return models.DecimalField(label, max_digits=14, decimal_places=2)


class Fact(models.Model):
    """Something known from another system, which names it by `external_id`."""

    # Moments that have come when the fact is reported.
    past_moments: ClassVar[tuple[str, ...]] = ()
    # Pairs of moments, of which the second is not before the first.
    spans: ClassVar[tuple[tuple[str, str], ...]] = ()

    # As long as the sources of CloudEvents are, which are URIs.
    source = models.CharField(_("source"), max_length=255)
    external_id = models.CharField(_("external id"), max_length=120)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="%(class)s_is_known_once_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"

    def clean(self) -> None:
        """Reject what cannot be true; fields without a value are left to others."""
        faults = self._faults(timezone.now())
        if faults:
            raise ValidationError(faults)

    def _faults(self, now: datetime) -> dict[str, ValidationError]:
        """Return what is wrong by field."""
        moments = {
            field.name: getattr(self, field.name)
            for field in self._meta.fields
            if isinstance(field, models.DateTimeField) and getattr(self, field.name) is not None
        }
        faults = {}
        for first, second in self.spans:
            if moments.keys() >= {first, second} and moments[second] < moments[first]:
                begun = self._meta.get_field(first).verbose_name  # type: ignore[union-attr]
                text = _("This is before “%(begun)s”.") % {"begun": begun}
                faults[second] = ValidationError(text, code="before_begin")
        for name, moment in moments.items():
            if (fault := _fault_of(moment, now, is_past=name in self.past_moments)) is not None:
                faults[name] = fault
        return faults


def _fault_of(moment: datetime, now: datetime, *, is_past: bool) -> ValidationError | None:
    if is_past and moment > now + CLOCKS_DIFFER_BY:
        text = _("This moment is in the future. Report it afterwards.")
        return ValidationError(text, code="in_the_future")
    if (fault := fault_of_early(moment)) is not None:
        return fault
    if moment > now + _LONGEST_AHEAD:
        text = _("This moment is more than 50 years ahead. Leave out what never comes.")
        return ValidationError(text, code="too_late")
    return None


class Contract(Fact):
    """A contract between the provider and the customer."""

    past_moments = ("signed_at",)
    spans = (("effective_from", "effective_to"), ("signed_at", "terminated_at"))

    account = _account_key("contracts")
    contract_type = models.CharField(_("type"), max_length=32, choices=ContractType.choices)
    signed_at = models.DateTimeField(_("signed at"), null=True, blank=True)
    effective_from = models.DateTimeField(_("effective from"), null=True, blank=True)
    effective_to = models.DateTimeField(_("effective to"), null=True, blank=True)
    terminated_at = models.DateTimeField(_("terminated at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")


class Bill(Fact):
    """A bill; unpaid while less than its amount is paid, due or not."""

    past_moments = ("issued_at",)
    spans = (("issued_at", "due_at"),)

    account = _account_key("bills")
    amount = _amount(_("amount"))
    paid_amount = _amount(_("paid amount"))
    issued_at = models.DateTimeField(_("issued at"))
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("bill")
        verbose_name_plural = _("bills")

    def _faults(self, now: datetime) -> dict[str, ValidationError]:
        """Return also that more is paid than the amount, which is below 0 for a credit note."""
        faults = super()._faults(now)
        if self.amount is not None and self.paid_amount is not None:
            least, most = sorted((Decimal(0), self.amount))
            if not least <= self.paid_amount <= most:
                text = _("What is paid is between 0 and the amount.")
                faults["paid_amount"] = ValidationError(text, code="not_of_amount")
        return faults


class CashExpenditure(Fact):
    """Money of the customer's own that was spent; coupons are not cash."""

    past_moments = ("occurred_at",)

    account = _account_key("cash_expenditures")
    amount = _amount(_("amount"))
    occurred_at = models.DateTimeField(_("occurred at"))

    class Meta(Fact.Meta):
        verbose_name = _("cash expenditure")
        verbose_name_plural = _("cash expenditures")


class ReservedInstance(Fact):
    """Capacity paid for in advance."""

    account = _account_key("reserved_instances")
    expires_at = models.DateTimeField(_("expires at"))
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("reserved instance")
        verbose_name_plural = _("reserved instances")


class EnterpriseRelation(Fact):
    """One account being the member of another, its enterprise master."""

    master = _account_key("members")
    member = _account_key("memberships")
    accounting = models.CharField(_("accounting"), max_length=16, choices=Accounting.choices)
    member_type = models.CharField(_("member type"), max_length=20, choices=MemberType.choices)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("enterprise relation")
        verbose_name_plural = _("enterprise relations")


class Coupon(Fact):
    """A cash coupon with what is left of it."""

    account = _account_key("coupons")
    balance = _amount(_("balance"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")

    def _faults(self, now: datetime) -> dict[str, ValidationError]:
        """Return also that less than nothing is left, which would lower the sum of the others."""
        faults = super()._faults(now)
        if self.balance is not None and self.balance < 0:
            text = _("What is left of a coupon is at least 0.")
            faults["balance"] = ValidationError(text, code="below_zero")
        return faults


class ResourceQuerySet(models.QuerySet["Resource"]):
    """Named sets of resources."""

    def existing(self) -> "ResourceQuerySet":
        return self.exclude(status=ResourceStatus.RELEASED)

    def running(self) -> "ResourceQuerySet":
        return self.filter(status=ResourceStatus.RUNNING)


class Resource(Fact):
    """Something the customer has provisioned."""

    account = _account_key("resources")
    name = models.CharField(_("name"), max_length=120)
    billing = models.CharField(_("billing"), max_length=16, choices=Billing.choices)
    status = models.CharField(_("status"), max_length=16, choices=ResourceStatus.choices)

    objects = ResourceQuerySet.as_manager()

    class Meta(Fact.Meta):
        verbose_name = _("resource")
        verbose_name_plural = _("resources")


class Spending(Fact):
    """What the account has used, counted against its budget."""

    past_moments = ("occurred_at",)

    account = _account_key("spending")
    amount = _amount(_("amount"))
    occurred_at = models.DateTimeField(_("occurred at"))

    class Meta(Fact.Meta):
        verbose_name = _("spending")
        verbose_name_plural = _("spending")
        indexes = [
            # What an account has used since a moment.
            models.Index(fields=["account", "occurred_at"], name="spending_by_account"),
            # The order of the provider's list.
            models.Index(fields=["occurred_at"], name="spending_by_moment"),
        ]

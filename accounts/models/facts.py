"""Facts about customer accounts that eligibility rules and pages read; loaded, never guessed."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import Accounting, Billing, ContractType, MemberType, ResourceStatus
from accounts.models.customers import CustomerAccount

if TYPE_CHECKING:
    from decimal import Decimal

    from django.db.models.fields.related import ForeignKey
    from django_stubs_ext import StrPromise


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


class Contract(Fact):
    """A contract between the provider and the customer."""

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

    account = _account_key("bills")
    amount = _amount(_("amount"))
    paid_amount = _amount(_("paid amount"))
    issued_at = models.DateTimeField(_("issued at"))
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)

    class Meta(Fact.Meta):
        verbose_name = _("bill")
        verbose_name_plural = _("bills")


class CashExpenditure(Fact):
    """Money of the customer's own that was spent; coupons are not cash."""

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

"""Facts in the admin: they come by import and can be corrected by hand, which is audited.

Spending counts against budgets and is read-only: `record_spending` corrects it.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    Bill,
    CashExpenditure,
    Contract,
    Coupon,
    EnterpriseRelation,
    ReservedInstance,
    Resource,
    Spending,
)
from audit.admin import DeletableModelAdmin, EvidenceAdmin
from web.admin.hubs import given
from web.templatetags.money import money

MOST_SOURCES = 20


def money_column(name: str, label: Any) -> Callable[[Any], str]:
    """Return a column of a list that shows the field with the currency."""

    @admin.display(description=label, ordering=name)
    def shown(fact: Any) -> str:
        return money(getattr(fact, name))

    shown.__name__ = f"shown_{name}"
    return shown


class SourceFilter(admin.SimpleListFilter):
    """The systems that sent such facts; Django's own filter would read every row for them."""

    title = _("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Find one after the other, each by the index on source and external id."""
        facts, found = model_admin.model._default_manager.order_by("source"), list[str]()
        while len(found) < MOST_SOURCES:
            rest = facts.filter(source__gt=found[-1]) if found else facts
            source = rest.values_list("source", flat=True).first()
            if source is None:
                break
            found.append(source)
        return [(source, source) for source in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(source=self.value()) if self.value() else queryset


class FactAdmin(DeletableModelAdmin):
    list_select_related: ClassVar[Any] = ("account__owner",)
    list_filter: ClassVar[Any] = (SourceFilter, *given("account"))
    search_fields: ClassVar[Any] = (
        "external_id__exact",
        "account__owner__account_name__startswith",
        "account__owner__email__exact",
    )
    search_help_text = _("External id, beginning of the account name, or a whole e-mail address")
    autocomplete_fields: ClassVar[Any] = ("account",)


@admin.register(Contract)
class ContractAdmin(FactAdmin):
    list_display = (
        "external_id",
        "account",
        "contract_type",
        "effective_from",
        "effective_to",
        "terminated_at",
    )
    list_filter = ("contract_type", SourceFilter, *given("account"))
    date_hierarchy = "effective_from"


@admin.register(Bill)
class BillAdmin(FactAdmin):
    list_display = (
        *(
            "external_id",
            "account",
            money_column("amount", _("amount")),
            money_column("paid_amount", _("paid amount")),
        ),
        *("issued_at", "due_at"),
    )
    date_hierarchy = "issued_at"


@admin.register(CashExpenditure)
class CashExpenditureAdmin(FactAdmin):
    list_display = ("external_id", "account", money_column("amount", _("amount")), "occurred_at")
    date_hierarchy = "occurred_at"


@admin.register(ReservedInstance)
class ReservedInstanceAdmin(FactAdmin):
    list_display = ("external_id", "account", "expires_at", "cancelled_at")
    date_hierarchy = "expires_at"


@admin.register(EnterpriseRelation)
class EnterpriseRelationAdmin(FactAdmin):
    list_display = ("external_id", "master", "member", "accounting", "member_type", "ended_at")
    list_select_related = ("master__owner", "member__owner")
    list_filter = ("accounting", "member_type", SourceFilter, *given("master", "member"))
    search_fields = (
        "external_id__exact",
        "master__owner__account_name__startswith",
        "member__owner__account_name__startswith",
    )
    search_help_text = _("External id, or beginning of the master's or member's account name")
    date_hierarchy = "ended_at"
    autocomplete_fields = ("master", "member")


@admin.register(Coupon)
class CouponAdmin(FactAdmin):
    list_display = ("external_id", "account", money_column("balance", _("balance")), "expires_at")
    date_hierarchy = "expires_at"


@admin.register(Resource)
class ResourceAdmin(FactAdmin):
    list_display = ("external_id", "account", "name", "billing", "status")
    list_filter = ("billing", "status", SourceFilter, *given("account"))


@admin.register(Spending)
class SpendingAdmin(EvidenceAdmin, FactAdmin):
    # A sum of a cost file is named by its day and our number of the account.
    list_display = (
        "account",
        money_column("amount", _("amount")),
        "occurred_at",
        "source",
        "external_id",
    )
    date_hierarchy = "occurred_at"
    fields = ("source", "external_id", "account", "amount", "occurred_at")

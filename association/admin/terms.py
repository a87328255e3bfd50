"""Authorizations, budgets, alerts and budget requests in the admin, read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from association.models import Authorization, Budget, BudgetAlert, BudgetRequest
from audit.admin import EvidenceAdmin
from web.admin.base import StateFilter
from web.admin.hubs import given


class AuthorizationStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        """Mirror `Authorization.state`."""
        revoked, declined = Q(revoked_at__isnull=False), Q(declined_at__isnull=False)
        granted = Q(granted_at__isnull=False)
        return {
            "requested": (_("requested"), ~revoked & ~declined & ~granted),
            "granted": (_("granted"), granted & ~revoked & ~declined),
            "declined": (_("declined"), declined & ~revoked),
            "revoked": (_("revoked"), revoked),
        }


class TermsAdmin(EvidenceAdmin):
    lower_case_search = True
    search_fields: ClassVar[Any] = (
        "association__account__owner__account_name__startswith",
        "association__account__owner__email__exact",
        "association__partner__name__icontains",
    )
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the partner's name"
    )


@admin.register(Authorization)
class AuthorizationAdmin(TermsAdmin):
    list_display = ("association", "requested_at", "granted_at", "declined_at", "revoked_at")
    list_select_related = ("association",)
    list_filter = (AuthorizationStateFilter, *given("association"))
    date_hierarchy = "granted_at"


class BudgetStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        replaced = Q(replaced_at__isnull=False)
        ended = Q(replaced_at=F("association__ended_at"), association__ended_at__isnull=False)
        return {
            "current": (_("current"), Q(replaced_at__isnull=True)),
            "replaced": (_("replaced"), replaced & ~ended),
            "ended": (_("ended with the association"), ended),
        }


@admin.register(Budget)
class BudgetAdmin(TermsAdmin):
    list_display = (
        "association",
        "state",
        "amount",
        "period",
        "on_exhaustion",
        "set_at",
        "set_by",
    )
    list_select_related = ("association", "set_by")
    fields = (
        *("association", "state", "amount", "period", "on_exhaustion"),
        *("set_at", "set_by", "set_by_provider", "replaced_at"),
    )
    readonly_fields = ("state",)
    list_filter = (
        BudgetStateFilter,
        "period",
        "on_exhaustion",
        *given("association", "association__account"),
    )
    date_hierarchy = "set_at"


@admin.register(BudgetAlert)
class BudgetAlertAdmin(TermsAdmin):
    list_display = ("alerted_at", "association", "budget", "period_start", "threshold")
    list_select_related = ("budget__association",)
    list_filter = ("threshold", "budget__on_exhaustion")
    search_fields = tuple(f"budget__{field}" for field in TermsAdmin.search_fields)
    date_hierarchy = "alerted_at"
    fields = ("association", "budget", "period_start", "threshold", "alerted_at")

    @admin.display(description=_("association"))
    def association(self, alert: BudgetAlert) -> str:
        return str(alert.budget.association)


@admin.register(BudgetRequest)
class BudgetRequestAdmin(TermsAdmin):
    list_display = ("asked_at", "association", "asked_for")
    list_select_related = ("association",)
    list_filter = ("asked_for",)
    date_hierarchy = "asked_at"

"""Associations, authorizations and budgets in the admin: read, frozen, unfrozen and ended."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import EvidenceAdmin, StateFilter
from accounts.admin.confirmation import Act, ReasonForm, confirm
from accounts.admin.customers import FreezeForm
from accounts.models import FreezeScope
from association.admin.preview import eligibility_preview
from association.models import Association, Authorization, Budget
from association.services.associations import end_association
from association.services.customers import CustomerRefused, freeze_customer, unfreeze_customer

REFUSALS: dict[str, Any] = {
    "ended": _("This association has ended."),
    "not_reseller": _("Only reseller customers are frozen and unfrozen by their partner."),
    "no_budget": _("The partner has to set a budget first."),
}
ACCOUNT_SEARCH = ("account__owner__account_name__istartswith", "account__owner__email__iexact")


class AssociationStateFilter(StateFilter):
    """In force or ended."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """In force, in force and frozen, or ended."""
        in_force = Q(ended_at__isnull=True)
        open_freezes = Association.objects.filter(
            account__freezes__isnull=False, account__freezes__unfrozen_at__isnull=True
        )
        return {
            "in_force": (_("in force"), in_force),
            "frozen": (_("in force and frozen"), in_force & Q(pk__in=open_freezes.values("pk"))),
            "ended": (_("ended"), ~in_force),
        }


@admin.register(Association)
class AssociationAdmin(EvidenceAdmin):
    """Which account is whose customer; acts on it go through the console's services."""

    list_display = (
        "account",
        "partner",
        "association_type",
        "associated_at",
        "ended_at",
    )
    list_select_related = ("account__owner", "partner")
    list_filter = (AssociationStateFilter, "association_type")
    search_fields = (*ACCOUNT_SEARCH, "partner__name__icontains")
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the partner's name"
    )
    date_hierarchy = "associated_at"
    fields = (
        "account",
        "partner",
        "association_type",
        "invitation",
        "attempt",
        "manager",
        "associated_at",
        "coupons_pay_before",
        "eligibility",
        "ended_at",
        "ended_by",
        "end_reason",
    )
    actions = ("freeze_account", "unfreeze_account", "end")

    def get_urls(self) -> list[URLPattern]:
        """The pages of associations, and the preview of one that is not yet."""
        view = self.admin_site.admin_view(eligibility_preview)
        return [path("preview/", view, name="eligibility_preview"), *super().get_urls()]

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whoever has Django's permission to change associations; the rows stay closed."""
        return request.user.has_perm("association.change_association")

    @admin.action(description=_("Freeze for the partner"), permissions=["act"])
    def freeze_account(
        self, request: HttpRequest, queryset: models.QuerySet[Association]
    ) -> HttpResponse:
        """Ask for scope and reason, then freeze the customers as their partner could."""
        act = Act(
            title=_("Freeze for the partner"),
            consequences=(
                _("The account cannot buy, renew or change resources. Fees continue."),
                _("With “account and resources” the resources and new fees stop as well."),
                _("The partner can lift this freeze once there is a budget."),
            ),
            button=_("Freeze"),
            form=FreezeForm,
            do=lambda association, values: freeze_customer(
                association=association,
                scope=FreezeScope(values["scope"]),
                reason=values["reason"],
                by=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            ),
            refused_by=(CustomerRefused,),
            refusals=REFUSALS,
        )
        return confirm(self, request, queryset, act)

    @admin.action(description=_("Unfreeze for the partner"), permissions=["act"])
    def unfreeze_account(
        self, request: HttpRequest, queryset: models.QuerySet[Association]
    ) -> HttpResponse:
        """Ask for the reason, then lift what the partner could lift."""
        act = Act(
            title=_("Unfreeze for the partner"),
            consequences=(
                _("Every open freeze ends, but for one that the provider decided on."),
                _("The customer is told by mail and can buy and change resources again."),
                _("This needs a budget of the partner."),
            ),
            button=_("Unfreeze"),
            form=ReasonForm,
            do=lambda association, values: unfreeze_customer(
                association=association,
                reason=values["reason"],
                by=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            ),
            refused_by=(CustomerRefused,),
            refusals=REFUSALS,
        )
        return confirm(self, request, queryset, act)

    @admin.action(description=_("End the association"), permissions=["act"])
    def end(self, request: HttpRequest, queryset: models.QuerySet[Association]) -> HttpResponse:
        """Ask for the reason, then end the associations."""
        act = Act(
            title=_("End the association"),
            consequences=(
                _("The account stops being the partner's customer. This cannot be taken back."),
                _("Its freezes are lifted, but for one that the provider decided on."),
                _("The partner's authorization for the account ends."),
            ),
            button=_("End the association"),
            form=ReasonForm,
            do=lambda association, values: end_association(
                association=association,
                reason=values["reason"],
                by=request.user,  # type: ignore[arg-type]
                now=timezone.now(),
            ),
            refusals={},
        )
        return confirm(self, request, queryset, act)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Association]:
        """With the account's owner: an action names each customer."""
        return super().get_queryset(request).select_related("account__owner")


class AuthorizationStateFilter(StateFilter):
    """Requested, granted, declined or revoked."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """The four states of `Authorization.state`."""
        revoked, declined = Q(revoked_at__isnull=False), Q(declined_at__isnull=False)
        granted = Q(granted_at__isnull=False)
        return {
            "requested": (_("requested"), ~revoked & ~declined & ~granted),
            "granted": (_("granted"), granted & ~revoked & ~declined),
            "declined": (_("declined"), declined & ~revoked),
            "revoked": (_("revoked"), revoked),
        }


OF_ASSOCIATION = (
    "association__account__owner__account_name__istartswith",
    "association__account__owner__email__iexact",
    "association__partner__name__icontains",
)


@admin.register(Authorization)
class AuthorizationAdmin(EvidenceAdmin):
    """Rights of partners to order and operate for customers."""

    list_display = (
        "association",
        "requested_at",
        "granted_at",
        "declined_at",
        "revoked_at",
    )
    list_select_related = ("association",)
    list_filter = (AuthorizationStateFilter,)
    search_fields = OF_ASSOCIATION
    search_help_text = AssociationAdmin.search_help_text
    date_hierarchy = "granted_at"
    fields = (
        "association",
        "consent",
        "requested_at",
        "requested_by",
        "granted_at",
        "declined_at",
        "revoked_at",
        "reason",
    )


class BudgetStateFilter(StateFilter):
    """Current or replaced."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """The two states of a budget."""
        return {
            "current": (_("current"), Q(replaced_at__isnull=True)),
            "replaced": (_("replaced"), Q(replaced_at__isnull=False)),
        }


@admin.register(Budget)
class BudgetAdmin(EvidenceAdmin):
    """Budgets as they were set, one after the other."""

    list_display = (
        "association",
        "amount",
        "period",
        "on_exhaustion",
        "set_at",
        "set_by",
        "replaced_at",
    )
    list_select_related = ("association", "set_by")
    list_filter = (BudgetStateFilter, "period", "on_exhaustion")
    search_fields = OF_ASSOCIATION
    search_help_text = AssociationAdmin.search_help_text
    date_hierarchy = "set_at"
    fields = (
        "association",
        "amount",
        "period",
        "on_exhaustion",
        "set_at",
        "set_by",
        "replaced_at",
    )

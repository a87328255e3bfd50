"""Customer accounts and their freezes in the admin."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze
from audit.admin import AuditedModelAdmin, EvidenceAdmin, account_name
from web.admin.base import StateFilter
from web.admin.hubs import given
from web.moments import moment_text

AUTOMATIC = {
    FreezeCause.ASSOCIATION: _("automatically, on joining"),
    FreezeCause.BUDGET_EXHAUSTED: _("automatically, when the budget was used up"),
}


def freeze_state(freeze: Freeze) -> Any:
    """Say whether the freeze is open, or when it was lifted."""
    if freeze.unfrozen_at is None:
        return _("open")
    return gettext("lifted %(moment)s") % {"moment": moment_text(freeze.unfrozen_at)}


def froze(freeze: Freeze) -> str:
    """Return who froze. The row of a freeze by joining names the customer, who decided nothing."""
    automatic = AUTOMATIC.get(FreezeCause(freeze.cause))
    return str(automatic) if automatic else account_name(freeze.frozen_by)


class EnabledFilter(StateFilter):
    title = _("services")

    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "enabled": (_("enabled"), Q(services_enabled_at__isnull=False)),
            "not_enabled": (_("not enabled"), Q(services_enabled_at__isnull=True)),
        }


@admin.register(CustomerAccount)
class CustomerAccountAdmin(AuditedModelAdmin):
    """Customer accounts; `association` adds the actions of which a partner must hear."""

    change_form_template = "admin/accounts/customeraccount/change_form.html"
    list_display: Any = ("shown", "external_id", "account_type", "country", "registered_at")
    list_filter = (
        "account_type",
        "registration_site",
        EnabledFilter,
        "is_internal",
        *given("owner"),
    )
    search_fields = (
        *("owner__account_name__startswith", "owner__email__exact"),
        *("name__icontains", "external_id__icontains"),
    )
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the name or of the "
        "external id"
    )
    lower_case_search = True
    date_hierarchy = "registered_at"
    autocomplete_fields = ("owner",)
    fields = (
        *("owner", "name", "account_type", "registration_site", "country"),
        *("registered_at", "services_enabled_at", "is_internal", "tax_id", "external_id"),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[CustomerAccount]:
        return super().get_queryset(request).select_related("owner")

    @admin.display(description=_("customer account"), ordering="owner__account_name")
    def shown(self, account: CustomerAccount) -> str:
        return str(account)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)
        return names if obj is None else [*names, "owner"]


class OpenFreezeFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "open": (_("open"), Q(unfrozen_at__isnull=True)),
            "lifted": (_("lifted"), Q(unfrozen_at__isnull=False)),
        }


@admin.register(Freeze)
class FreezeAdmin(EvidenceAdmin):
    list_display = ("account", "state", "cause", "scope", "frozen_at", "froze")
    list_select_related = ("account__owner", "frozen_by")
    list_filter = (OpenFreezeFilter, "cause", "scope", *given("account"))
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "frozen_at"
    fields = (
        *("account", "scope", "cause", "reason", "frozen_at", "froze", "frozen_by_provider"),
        *("unfrozen_at", "unfrozen_by", "unfrozen_by_provider", "unfreeze_reason"),
    )
    readonly_fields = ("froze",)

    @admin.display(description=_("state"), ordering="unfrozen_at")
    def state(self, freeze: Freeze) -> Any:
        return freeze_state(freeze)

    @admin.display(description=_("frozen by"))
    def froze(self, freeze: Freeze) -> str:
        return froze(freeze)

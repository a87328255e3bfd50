"""Customer accounts and their freezes in the admin."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.conflicts import freeze_sentences
from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, Freeze
from accounts.services.freezes import (
    freeze_account,
    freezes_of,
    shown_cause,
    shown_freezes,
    unfreeze_account,
)
from audit.admin import AuditedModelAdmin, EvidenceAdmin, account_name
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, ReasonForm

PROVIDER = FreezeCause.ADMINISTRATOR


class FreezeForm(ReasonForm):
    scope = forms.ChoiceField(label=_("Scope"), choices=FreezeScope.choices)


class EnabledFilter(StateFilter):
    title = _("services")

    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "enabled": (_("enabled"), Q(services_enabled_at__isnull=False)),
            "not_enabled": (_("not enabled"), Q(services_enabled_at__isnull=True)),
        }


@admin.register(CustomerAccount)
class CustomerAccountAdmin(AuditedModelAdmin):
    change_form_template = "admin/accounts/customeraccount/change_form.html"
    list_display = (
        "owner",
        "account_type",
        "registration_site",
        "country",
        "registered_at",
        "services_enabled_at",
        "is_internal",
    )
    list_filter = ("account_type", "registration_site", EnabledFilter, "is_internal")
    search_fields = ("owner__account_name__startswith", "owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "registered_at"
    autocomplete_fields = ("owner",)
    fields = list_display
    actions = ("freeze_for_provider", "unfreeze_for_provider")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[CustomerAccount]:
        return super().get_queryset(request).select_related("owner")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        names = super().get_readonly_fields(request, obj)
        return names if obj is None else [*names, "owner"]

    @ConfirmedAction(
        title=_("Freeze by decision of the provider"),
        consequences=(
            _("The account cannot buy, renew or change resources. Fees continue."),
            _("With “account and resources” the resources and new fees stop as well."),
            _("The partner cannot lift this freeze."),
        ),
        button=_("Freeze"),
        form=FreezeForm,
        permissions=["change"],
        shows=lambda account: shown_cause(account, freezes_of([account.pk]), PROVIDER),
        explain=partial(freeze_sentences, who=account_name),
    )
    def freeze_for_provider(self, account: CustomerAccount, *, scope: str, **values: Any) -> None:
        freeze_account(account=account, cause=PROVIDER, scope=FreezeScope(scope), **values)

    @ConfirmedAction(
        title=_("Lift the provider's freeze"),
        consequences=(
            _("The freeze that the provider decided on ends."),
            _("Freezes with another cause stay."),
        ),
        button=_("Lift"),
        form=ReasonForm,
        permissions=["change"],
        shows=lambda account: shown_freezes(freezes_of([account.pk]), [PROVIDER]),
        explain=partial(freeze_sentences, who=account_name),
    )
    def unfreeze_for_provider(self, account: CustomerAccount, **values: Any) -> None:
        unfreeze_account(account=account, causes=[PROVIDER], **values)


class OpenFreezeFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "open": (_("open"), Q(unfrozen_at__isnull=True)),
            "lifted": (_("lifted"), Q(unfrozen_at__isnull=False)),
        }


@admin.register(Freeze)
class FreezeAdmin(EvidenceAdmin):
    list_display = ("account", "cause", "scope", "frozen_at", "frozen_by", "unfrozen_at")
    list_select_related = ("account__owner", "frozen_by")
    list_filter = (OpenFreezeFilter, "cause", "scope")
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "frozen_at"

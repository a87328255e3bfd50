"""Partners and their members in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AuditedModelAdmin, DeletableModelAdmin
from partners.models import Partner, PartnerMember


@admin.register(Partner)
class PartnerAdmin(AuditedModelAdmin):
    """Organisations that invite; what a partner may do is granted here."""

    list_display = (
        "name",
        "slug",
        "country",
        "status",
        "allows_reseller",
        "allows_referral",
        "created_at",
    )
    list_filter = ("status", "allows_reseller", "allows_referral")
    search_fields = ("name", "legal_name", "slug")
    search_help_text = _("Part of the name, legal name or short name")
    date_hierarchy = "created_at"
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("created_at", "updated_at")
    fields = (
        "name",
        "slug",
        "legal_name",
        "country",
        "support_email",
        "support_phone",
        "logo",
        "status",
        "time_zone",
        "allows_reseller",
        "allows_referral",
        "created_at",
        "updated_at",
    )


@admin.register(PartnerMember)
class PartnerMemberAdmin(DeletableModelAdmin):
    """People who act for a partner."""

    list_display = ("user", "partner", "role", "created_at")
    list_select_related = ("user", "partner")
    list_filter = ("role",)
    search_fields = (
        "user__account_name__istartswith",
        "user__email__iexact",
        "partner__name",
    )
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the partner's name"
    )
    date_hierarchy = "created_at"
    autocomplete_fields = ("user", "partner")
    readonly_fields = ("created_at",)
    fields = ("user", "partner", "role", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A member never changes sides: customers and history would go with them."""
        names = super().get_readonly_fields(request, obj)
        return names if obj is None else [*names, "user", "partner"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a member who manages no customer."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.customers.exists())

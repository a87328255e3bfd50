"""Partners, their members, and invitations to become one, in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import AuditedModelAdmin, DeletableModelAdmin, EvidenceAdmin
from accounts.admin.filters import StateFilter
from partners.models import MemberInvitation, Partner, PartnerMember


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

    list_display = ("user", "partner", "role", "may_see_addresses", "created_at")
    list_select_related = ("user", "partner")
    list_filter = ("role", "may_see_addresses")
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
    fields = ("user", "partner", "role", "may_see_addresses", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A member never changes sides: customers and history would go with them."""
        names = super().get_readonly_fields(request, obj)
        return names if obj is None else [*names, "user", "partner"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a member who manages no customer."""
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.customers.exists())


class MemberInvitationStateFilter(StateFilter):
    """What became of the invitation of a member."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """Open, accepted or withdrawn; an expired one is open until it is withdrawn."""
        accepted, withdrawn = Q(accepted_at__isnull=False), Q(withdrawn_at__isnull=False)
        return {
            "open": (_("open"), ~accepted & ~withdrawn),
            "accepted": (_("accepted"), accepted),
            "withdrawn": (_("withdrawn"), withdrawn),
        }


@admin.register(MemberInvitation)
class MemberInvitationAdmin(EvidenceAdmin):
    """People who were asked by e-mail to act for a partner."""

    list_display = (
        "invited_at",
        "partner",
        "address",
        "role",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
    )
    list_select_related = ("partner",)
    list_filter = (MemberInvitationStateFilter, "role")
    search_fields = ("address__iexact", "partner__name__icontains")
    search_help_text = _("A whole e-mail address, or part of the partner's name")
    date_hierarchy = "invited_at"
    addresses = ("address",)
    fields = (
        "partner",
        "address",
        "role",
        "may_see_addresses",
        "invited_at",
        "invited_by",
        "expires_at",
        "accepted_at",
        "withdrawn_at",
        "withdrawn_by",
    )

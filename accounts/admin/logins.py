"""What allauth keeps about users: their addresses and second factors, never the secrets."""

from typing import Any

# These modules register their own pages; ours take their place.
import allauth.account.admin
import allauth.mfa.admin  # noqa: F401 - for the registration alone
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.admin import DeletableModelAdmin, EvidenceAdmin
from web.admin.masking import may_see_addresses
from web.email_addresses import mask_address

admin.site.unregister([EmailAddress, Authenticator])


@admin.register(EmailAddress)
class EmailAddressAdmin(EvidenceAdmin):
    """Addresses that were proven; an administrator proves none for anybody."""

    list_display = ("user", "email", "verified", "primary")
    list_select_related = ("user",)
    list_filter = ("verified", "primary")
    search_fields = ("user__account_name__startswith", "email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    addresses = ("email",)
    fields = ("user", "email", "verified", "primary")

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The row, masked where its text goes: into titles. Nothing on these pages saves it."""
        obj = super().get_object(request, object_id, from_field)
        if obj is not None and not may_see_addresses(request):
            obj.email = mask_address(obj.email)
        return obj


@admin.register(Authenticator)
class AuthenticatorAdmin(DeletableModelAdmin):
    """Second factors; deleting one lets a user who lost it set up another."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("type",)
    search_fields = ("user__account_name__startswith", "user__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "created_at"
    fields = ("user", "type", "created_at", "last_used_at")
    secrets = ("data",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only the user sets up a second factor."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only the user changes a second factor."""
        return False

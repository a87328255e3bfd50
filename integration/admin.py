"""API keys and stored answers in the admin, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from integration.models import ApiKey, IdempotentAnswer
from partners.admin.shared import all_fields
from web.admin.hubs import given


@admin.register(ApiKey)
class ApiKeyAdmin(EvidenceAdmin):
    list_display = ("name", "partner", "expires_at", "revoked_at", "last_used_at", "created_by")
    list_select_related = ("partner", "created_by")
    list_filter = given("partner")
    search_fields = ("name__icontains", "partner__name__icontains")
    search_help_text = _("Part of the key's or the partner's name")
    date_hierarchy = "created_at"
    fields = tuple(name for name in all_fields(ApiKey) if name != "secret_hash")


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(EvidenceAdmin):
    list_display = ("api_key", "idempotency_key", "status", "created_at")
    list_select_related = ("api_key",)
    list_filter = given("api_key")
    search_fields = ("idempotency_key__exact",)
    search_help_text = _("The whole idempotency key")
    date_hierarchy = "created_at"
    # The body has addresses, which the caller may read and an administrator may not.
    fields = tuple(name for name in all_fields(IdempotentAnswer) if name != "body")

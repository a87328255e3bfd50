"""API keys, stored answers, webhook endpoints and deliveries in the admin, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from integration.models import ApiKey, IdempotentAnswer, WebhookDelivery, WebhookEndpoint
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
    fields = tuple(name for name in all_fields(IdempotentAnswer) if name != "sealed_body")


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(EvidenceAdmin):
    list_display = ("name", "partner", "disabled_at", "disabled_reason", "failing_since")
    list_select_related = ("partner",)
    list_filter = ("disabled_reason", *given("partner"))
    search_fields = ("description__icontains", "partner__name__icontains")
    search_help_text = _("Part of the endpoint's or the partner's name")
    date_hierarchy = "created_at"
    # Encrypted or not, secrets are shown nowhere.
    fields = tuple(
        name
        for name in all_fields(WebhookEndpoint)
        if name not in ("sealed_secret", "sealed_former_secret")
    )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(EvidenceAdmin):
    list_display = ("event_kind", "endpoint", "attempt", "status", "status_code", "sent_at")
    list_select_related = ("endpoint",)
    list_filter = ("status", *given("endpoint"))
    search_fields = ("event_id__exact",)
    search_help_text = _("The whole id of the event")
    date_hierarchy = "created_at"
    fields = all_fields(WebhookDelivery)

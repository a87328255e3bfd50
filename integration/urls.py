"""The addresses of the API, of the console's keys and webhooks, and of issuers."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, include, path

from integration.api.openapi import openapi_json
from integration.api.site import api
from integration.views import issuer_log_in, issuer_registration, keys, reference, webhooks

_rows, _app, _namespace = api.urls
# django-ninja adds a pattern for the API's own address, where there is nothing.
_operations = [
    row for row in _rows if isinstance(row, URLPattern) and row.name != f"{_namespace}-root"
]
for _operation in _operations:
    if _operation.callback is not None:
        # A key takes the place of the log-in.
        login_not_required(_operation.callback)

urlpatterns = [
    path("api/v1/openapi.json", login_not_required(openapi_json), name="openapi"),
    path("api/v1/", include((_operations, _app), namespace=_namespace)),
    path("api/", reference.reference, name="api"),
    path("account/issuers/<slug:issuer_id>/start", issuer_log_in.start, name="issuer_start"),
    path(
        "account/issuers/<slug:issuer_id>/callback", issuer_log_in.callback, name="issuer_callback"
    ),
    path(
        "account/issuers/<slug:issuer_id>/country",
        issuer_registration.ask_country,
        name="issuer_country",
    ),
    path("partner/api-keys/", keys.keys, name="console_keys"),
    path("partner/api-keys/new", keys.new_key, name="console_new_key"),
    path("partner/api-keys/<int:key_id>/revoke", keys.revoke, name="console_revoke_key"),
    path("partner/webhooks/", webhooks.endpoints, name="console_webhooks"),
    path("partner/webhooks/new", webhooks.new_endpoint, name="console_new_webhook"),
    path("partner/webhooks/<int:endpoint_id>", webhooks.endpoint, name="console_webhook"),
    path("partner/webhooks/<int:endpoint_id>/edit", webhooks.edit, name="console_edit_webhook"),
    path("partner/webhooks/<int:endpoint_id>/test", webhooks.test, name="console_test_webhook"),
    path("partner/webhooks/<int:endpoint_id>/on", webhooks.on, name="console_turn_on_webhook"),
    path("partner/webhooks/<int:endpoint_id>/off", webhooks.off, name="console_turn_off_webhook"),
    path(
        "partner/webhooks/<int:endpoint_id>/rotate", webhooks.rotate, name="console_rotate_webhook"
    ),
    path(
        "partner/webhooks/<int:endpoint_id>/delete", webhooks.delete, name="console_delete_webhook"
    ),
    path(
        "partner/webhook-deliveries/<int:delivery_id>/replay",
        webhooks.replay,
        name="console_replay_webhook",
    ),
]

"""The addresses of the API, of the page about it, and of the console's API keys."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, include, path

from integration.api.openapi import openapi_json
from integration.api.site import api
from integration.views import keys, reference

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
    path("api/", reference.reference, name="api"),
    path("partner/api-keys/", keys.keys, name="console_keys"),
    path("partner/api-keys/new", keys.new_key, name="console_new_key"),
    path("partner/api-keys/<int:key_id>/revoke", keys.revoke, name="console_revoke_key"),
    path("api/v1/openapi.json", login_not_required(openapi_json), name="openapi"),
    path("api/v1/", include((_operations, _app), namespace=_namespace)),
]

"""Where every page is."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("association.urls")),
    path("", include("partners.urls")),
    path("", include("accounts.urls")),
    path(settings.ADMIN_URL, admin.site.urls),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

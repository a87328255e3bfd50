"""The URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("association.urls")),
    path("", include("partners.urls")),
    path("", include("accounts.urls")),
    path("", include("web.urls")),
    path(settings.ADMIN_URL, admin.site.urls),
]
if settings.DEMO:
    urlpatterns.append(path("", include("demo.urls")))

handler400 = "web.errors.bad_request"
handler403 = "web.errors.permission_denied"
handler404 = "web.errors.not_found"
handler500 = "web.errors.server_error"

"""The URLs of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from web import health

urlpatterns = [
    # First what is asked for most: each pattern before costs time.
    path("livez", health.livez, name="livez"),
    # It begins with the landing page.
    path("", include("association.urls")),
    path("", include("integration.urls")),
    path("", include("partners.urls")),
    path("", include("accounts.urls")),
    path("readyz", health.readyz, name="readyz"),
    path("robots.txt", health.robots, name="robots"),
    path(".well-known/security.txt", health.security_txt, name="security_txt"),
    path(settings.ADMIN_URL, admin.site.urls),
]
if settings.DEMO:
    urlpatterns.append(path("", include("demo.urls")))

handler400 = "web.errors.bad_request"
handler500 = "web.errors.server_error"

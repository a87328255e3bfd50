"""What pages are compared with: Django with a database configured, answering b"ok"."""

import os

import environ
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def ok(request: HttpRequest) -> HttpResponse:
    """Answer without middleware and without a query."""
    return HttpResponse(b"ok")


urlpatterns = [path("", ok)]
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": environ.Env().db_url_config(os.environ["DATABASE_URL"])},
    ROOT_URLCONF=__name__,
    SECRET_KEY="-",  # noqa: S106 - nothing is signed
)
application = get_wsgi_application()

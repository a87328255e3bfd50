"""What the API is compared with: a django-ninja view with one SELECT, and nothing around it."""

import os
import sys
import time

import environ
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["testserver"],
    DATABASES={
        "default": environ.Env().db_url_config(os.environ["DATABASE_URL"]) | {"CONN_MAX_AGE": None}
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY="-",  # noqa: S106 - nothing is signed
    USE_TZ=True,
)

import django  # noqa: E402 - the settings come first

django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import models  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.urls import path  # noqa: E402
from ninja import ModelSchema, NinjaAPI  # noqa: E402


class Row(models.Model):
    """An invitation, with some of its columns."""

    id = models.BigIntegerField(primary_key=True)
    label = models.CharField(max_length=120)
    note = models.CharField(max_length=500)
    token = models.CharField(max_length=26)
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "benchmarks"
        managed = False
        db_table = "partners_invitation"

    def __str__(self) -> str:
        return self.label


class Shown(ModelSchema):
    """The row as the API shows it."""

    class Meta:
        model = Row
        fields = ("id", "label", "note", "token", "expires_at", "created_at")


api = NinjaAPI(docs_url=None, openapi_url=None)


@api.get("/{key}", response=Shown)
def get(request: HttpRequest, key: int) -> Row:
    """Answer one row."""
    return Row.objects.get(pk=key)


urlpatterns = [path("", api.urls)]


def main(key: str, calls: int) -> None:
    """Print how many microseconds of CPU a call takes, for each line of the standard input."""
    application, environment = get_wsgi_application(), RequestFactory().get(f"/{key}").environ
    for _line in sys.stdin:
        began = time.process_time()
        for _ in range(calls):
            answer = application(dict(environment), lambda *_args: None)  # type: ignore[arg-type]
            answer.close()  # type: ignore[attr-defined]
        print((time.process_time() - began) / calls * 1e6, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

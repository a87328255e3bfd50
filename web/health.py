"""Answers for machines: is the process alive, is it ready, and what may robots read."""

import uuid
from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from web.errors import RETRY_AFTER_SECONDS, UNAVAILABLE

# Readers must not trust an older copy; RFC 9116 recommends less than a year.
SECURITY_TXT_LIFE = timedelta(days=180)

# How long the key stays that readiness writes.
CHECK_SECONDS = 10


class NotReady(Exception):
    pass


# DatabaseError includes a missing table, also that of the database cache.
NOT_READY = (*UNAVAILABLE, DatabaseError, NotReady)


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 503 unless database, cache and migrations are there; late e-mail is only reported."""
    try:
        check_cache()
        check_migrations()
        now = timezone.now()
        notes = {
            name: "delayed" if import_string(is_delayed)(now=now) else "ok"
            for name, is_delayed in settings.READINESS_NOTES.items()
        }
    except NOT_READY:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return JsonResponse({"status": "unavailable"}, status=503, headers=headers)
    return JsonResponse({"status": "ok", **notes})


def check_cache() -> None:
    """Raise NotReady unless the cache returns what is written to it.

    A replica or a full server still answers to reading; the database cache is silent about errors.
    """
    written = uuid.uuid4().hex
    cache.set(f"readyz:{written}", written, CHECK_SECONDS)
    if cache.get(f"readyz:{written}") != written:
        raise NotReady


@lru_cache(maxsize=1)
def check_migrations() -> None:
    """Raise NotReady while a migration is missing.

    The good result is remembered: a running program gets no new migrations.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotReady


@login_not_required
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    # Chats load a shared link for its preview; X-Robots-Tag keeps it out of search engines.
    lines = ("User-agent: *", *(f"Allow: {path}" for path in settings.PREVIEWED), "Disallow: /", "")
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Say where to report a vulnerability (RFC 9116); 404 while no contact is set."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {(today + SECURITY_TXT_LIFE).strftime('%Y-%m-%dT%H:%M:%SZ')}",
        "Preferred-Languages: en",
        f"Canonical: {settings.PUBLIC_BASE_URL}{request.path}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")

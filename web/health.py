"""What machines ask: is the process alive, is it ready, what may robots read."""

from functools import lru_cache

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from web.errors import RETRY_AFTER_SECONDS


class NotMigrated(Exception):
    """The tables are older than this program."""


# A table that is missing, the cache's included, is as bad as a database that is away.
NOT_READY = (DatabaseError, InterfaceError, RedisError, NotMigrated)


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; asks nothing of anyone else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether pages can be served: database, cache and migrations; late mail is only told."""
    try:
        cache.get("readyz")
        refuse_unmigrated()
        notes = readiness_notes()
    except NOT_READY:
        return JsonResponse(
            {"status": "unavailable"},
            status=503,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    return JsonResponse({"status": "ok", **notes})


def readiness_notes() -> dict[str, str]:
    """Return what is late but keeps no page from being served, by the names in `READINESS_NOTES`.

    That setting names functions that take the moment and return whether their work is delayed.
    """
    now = timezone.now()
    return {
        name: "delayed" if import_string(is_delayed)(now=now) else "ok"
        for name, is_delayed in settings.READINESS_NOTES.items()
    }


@lru_cache(maxsize=1)
def refuse_unmigrated() -> None:
    """Raise NotMigrated while there is something to migrate.

    That there is nothing is remembered: this program gets no more migrations than it began with.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated


@login_not_required
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Ask robots to stay away; invitations are for those who hold them."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")

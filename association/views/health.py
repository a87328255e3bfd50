"""What machines ask: is the process alive, is it ready, what may robots read."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.services.outbox import is_delayed
from accounts.views.errors import RETRY_AFTER_SECONDS, UNAVAILABLE


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
        executor = MigrationExecutor(connection)
        is_ready = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        delayed = is_ready and is_delayed(now=timezone.now())
    except UNAVAILABLE:
        is_ready = delayed = False
    if not is_ready:
        return JsonResponse(
            {"status": "unavailable"},
            status=503,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    return JsonResponse({"status": "ok", "mail": "delayed" if delayed else "ok"})


@login_not_required
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """Ask robots to stay away; invitations are for those who hold them."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")

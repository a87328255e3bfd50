"""Middleware: one line for each request, its place in the metrics, and what it was refused."""

import logging
import time
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.http import HttpRequest, HttpResponseBase

from web.limits import LimitRefusal
from web.logs import log_event
from web.refused import forget_refusal, noted_refusal
from web.sampling import facts_of_sample, is_sampled
from web.security_log import log_repeated_event, log_security_event

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_log = logging.getLogger("requests")
_MILLISECONDS = 1_000


class Statements:
    """Counts the statements of one request; `timer`, if any, is told how long each one took."""

    def __init__(self, timer: Callable[[str, float], None] | None) -> None:
        self.count = 0
        self._timer = timer

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.count += 1
        if self._timer is None:
            return execute(sql, params, many, context)
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self._timer(str(sql), time.perf_counter() - began)


class RequestLogMiddleware:
    """Logs and counts requests; security events always, lines with LOG_FORMAT=json only.

    The answers 4xx and 503, of which a flood is cheap, are sampled.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.has_lines = settings.LOG_FORMAT == "json"
        self.metrics: ModuleType | None = (
            import_module("web.metrics") if settings.METRICS_PORT else None
        )

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        forget_refusal()
        if not self.has_lines and self.metrics is None:
            response = self.get_response(request)
        else:
            response = self.observe(request)
        if response.status_code >= 400 or request.method == "POST":
            log_refusal(request, response)
        return response

    def observe(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        statements = Statements(self.metrics.time_statement if self.metrics else None)
        with connection.execute_wrapper(statements):
            response = self.get_response(request)
        seconds = time.perf_counter() - began
        if self.metrics is not None:
            self.metrics.count_request(route_of(request), response.status_code, seconds)
        if self.has_lines:
            write_line(request, response, round(seconds * _MILLISECONDS, 1), statements.count)
        return response


def route_of(request: HttpRequest) -> str:
    """Return the name of the URL pattern, never the path, which may contain a token."""
    match = request.resolver_match
    return match.view_name if match is not None and match.view_name else "unknown"


def actor_of(request: HttpRequest) -> int | None:
    """Return the user of the session if the request has used it; this runs no query."""
    session = getattr(request, "session", None)
    if session is None or not session.accessed:
        return None
    key = session.get(SESSION_KEY)
    return int(key) if key else None


def write_line(
    request: HttpRequest, response: HttpResponseBase, milliseconds: float, statements: int
) -> None:
    route, status = route_of(request), response.status_code
    sample = facts_of_sample("request", route, status) if is_sampled(status) else {}
    if sample is None:
        return
    log_event(
        _log,
        "request",
        method=request.method,
        route=route,
        status=status,
        milliseconds=milliseconds,
        statements=statements,
        actor=actor_of(request),
        **sample,
    )


def log_refusal(request: HttpRequest, response: HttpResponseBase) -> None:
    """Log what the request was refused: by a limit, for its CSRF token, a right, or a rule."""
    refusal = noted_refusal()
    facts: dict[str, Any] = {
        "route": route_of(request),
        "status": response.status_code,
        "actor": actor_of(request),
    }
    if refusal is not None:
        facts |= {"code": refusal.code.value, "reasons": refusal.reasons}
    if response.status_code == 429:
        log_repeated_event("rate_limited", **facts)
    elif response.status_code == 403:
        is_csrf = getattr(request, "csrf_failed", False)
        log_repeated_event("csrf_failed" if is_csrf else "permission_denied", **facts)
    elif refusal is not None and not isinstance(refusal.code, LimitRefusal):
        log_security_event("refused", **facts)

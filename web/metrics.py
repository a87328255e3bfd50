"""Metrics of all web processes together; imported with METRICS_PORT only.

`config/gunicorn.conf.py` names the directory in which the processes share their numbers, before
this is imported.
"""

import re
from collections.abc import Iterator
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

REQUESTS = Counter("http_requests_total", "Answers by route and status.", ["route", "status"])
# Few buckets, and no route: each would be a series of its own.
SECONDS = Histogram(
    "http_request_duration_seconds", "How long answers took.", buckets=(0.05, 0.25, 1, 3)
)
EVENTS = Counter(
    "security_events_total",
    "Events of the security log: log-ins, codes, associations and the others.",
    ["event"],
)
REFUSALS = Counter("refusals_total", "Refusals by code.", ["code"])
LOCKS = Histogram(
    "lock_statement_duration_seconds",
    "How long statements took that wait for a lock where another transaction has it.",
    buckets=(0.01, 0.1, 1),
)
_TAKES_A_LOCK = re.compile(r"\bFOR (NO KEY )?UPDATE\b|\bpg_advisory_|^UPDATE\b")


def count_request(route: str, status: int, seconds: float) -> None:
    # The admin has a hundred routes.
    shown = "admin" if route.startswith("admin:") else route
    REQUESTS.labels(shown, str(status)).inc()
    SECONDS.observe(seconds)


def count_event(event: str, code: str | None = None) -> None:
    EVENTS.labels(event).inc()
    if code is not None:
        REFUSALS.labels(code).inc()


def time_statement(sql: str, seconds: float) -> None:
    if _TAKES_A_LOCK.search(sql):
        LOCKS.observe(seconds)


class Gauges(Collector):
    """Reads METRICS_GAUGES; without a database they are left out, and the rest is served."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = timezone.now()
        try:
            for name, (meaning, read) in settings.METRICS_GAUGES.items():
                yield GaugeMetricFamily(name, meaning, value=import_string(read)(now=now))
        except (DatabaseError, InterfaceError):
            return
        finally:
            # Each reading has a thread of its own.
            connection.close()


class SharedPortServer(ThreadingWSGIServer):
    """Listens beside the other processes at the same port: each knows the numbers of all."""

    allow_reuse_port = True


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each reading, and gives up a reader that is silent."""

    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it overrides
        pass


def serve_metrics(host: str, port: int) -> None:
    """Serve the metrics from a thread of this process."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(Gauges())
    server = make_server(host, port, make_wsgi_app(registry), SharedPortServer, QuietHandler)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()

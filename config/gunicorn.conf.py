"""Settings of gunicorn: `gunicorn -c config/gunicorn.conf.py config.wsgi:application`."""

import gc
import os
import select
import shutil
import tempfile
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from config.logs import log_format
from web.logs import FORMATTERS

# Limits each statement while a visitor waits; commands have no limit.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "2000")


class SiteLogger(Logger):
    """Writes gunicorn's own lines as the application writes its lines."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for handler in [*self.error_log.handlers, *self.access_log.handlers]:
            handler.setFormatter(FORMATTERS[log_format()]())


class DrainingWorker(ThreadWorker):
    """Answers also the connections that wait to be accepted when it begins to stop.

    Gunicorn would keep its socket open while it finishes its answers, and then reset the
    connections that have come meanwhile. Closed at once, the socket refuses them, and the proxy
    asks another node, also for a POST.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


logger_class = SiteLogger

_host = os.environ.get("HOST", "127.0.0.1")
bind = f"{_host}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = DrainingWorker
threads = 8
# Loaded once, before any worker: a missing setting ends the server with one sentence.
preload_app = True
# The access log would contain paths, and so tokens; the application logs without them.
accesslog = None
# Gunicorn's control socket would be a second way in.
control_socket_disable = True
# A hanging worker is replaced; a worker that must stop first finishes its answers.
timeout = 30
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_TIMEOUT", "25"))
# The workers' heartbeat files, in memory where the machine has /dev/shm.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

_metrics_port = int(os.environ.get("METRICS_PORT") or 0)
_numbers = None
if _metrics_port and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
    # The processes share their numbers in files of this folder, which must be new at each start.
    _numbers = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(dir=worker_tmp_dir)


def post_worker_init(worker: Worker) -> None:
    if _metrics_port:
        from web.metrics import serve_metrics  # noqa: PLC0415 - loads a library only if it is used

        serve_metrics(_host, _metrics_port)


def on_exit(server: Arbiter) -> None:
    if _numbers:
        shutil.rmtree(_numbers, ignore_errors=True)


def when_ready(_server: Arbiter) -> None:
    """Load the views before the workers fork, so that they share the memory."""
    from django.urls import reverse  # noqa: PLC0415 - Django is set up only now

    reverse("livez")
    # Collections would write to shared objects, and so copy them into each worker.
    gc.collect()
    gc.freeze()

"""Settings of gunicorn: `gunicorn -c config/gunicorn.conf.py config.wsgi:application`."""

import gc
import os
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger

from web.logs import RedactTokens

# Limits each statement while a visitor waits; commands have no limit.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "5000")
_redact_tokens = RedactTokens()


class RedactingLogger(Logger):
    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.addFilter(_redact_tokens)


logger_class = RedactingLogger

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
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


def when_ready(_server: Arbiter) -> None:
    """Load the views before the workers fork, so that they share the memory."""
    from django.urls import reverse  # noqa: PLC0415 - Django is set up only now

    reverse("livez")
    # Collections would write to shared objects, and so copy them into each worker.
    gc.collect()
    gc.freeze()

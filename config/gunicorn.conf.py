"""How gunicorn serves the site: `gunicorn -c config/gunicorn.conf.py config.wsgi:application`."""

import os
from pathlib import Path

from gunicorn.config import Config
from gunicorn.glogging import Logger

from web.logs import RedactTokens

# How long the database may take for one statement while a person waits; commands take their time.
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "5000")
_redact_tokens = RedactTokens()


class RedactingLogger(Logger):
    """Gunicorn's own, which names the path of a request that failed, without the tokens in it."""

    def setup(self, cfg: Config) -> None:
        """Set up the two logs and put the filter before them, at every reload anew."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.addFilter(_redact_tokens)


logger_class = RedactingLogger

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_WORKERS", "2"))
worker_class = "gthread"
threads = 8
# Loaded once, before any worker: a setting that is missing ends the server with its sentence.
preload_app = True
# Its lines would hold paths, and so tokens; the application writes its own, without them.
accesslog = None
# No second door.
control_socket_disable = True
# A worker that hangs is replaced; one that is told to end finishes what it is answering.
timeout = 30
graceful_timeout = int(os.environ.get("WEB_GRACEFUL_TIMEOUT", "25"))
# The workers' heartbeat, in memory where the machine has such a place.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

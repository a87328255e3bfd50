"""The LOGGING setting, and how a program ends that cannot start."""

import logging
import os
import sys
from typing import Any, NoReturn

from web.logs import FORMATTERS, log_event


def log_format() -> str:
    """Return LOG_FORMAT, `text` or `json`."""
    chosen = os.environ.get("LOG_FORMAT") or "text"
    if chosen not in FORMATTERS:
        sys.exit(f"LOG_FORMAT={chosen} is not a format: give text or json.")
    return chosen


def logging_settings(level: str) -> dict[str, Any]:
    # The line of the request says what Django's warning about an answer of 4xx would say.
    answers = "ERROR" if log_format() == "json" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "sample": {"()": "web.sampling.SampleRefusals"},
            "forged": {"()": "web.logs.WarnOfForgedRequests"},
            "csrf": {"()": "web.logs.MarkCsrfFailures"},
        },
        "formatters": {"line": {"()": FORMATTERS[log_format()]}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "filters": ["sample", "forged"],
                "formatter": "line",
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Django's own handlers would print paths, and so tokens.
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": answers},
            "django.security.csrf": {"filters": ["csrf"]},
        },
    }


def refuse_to_start(problem: str) -> NoReturn:
    """End the program with one sentence; with JSON logs it is a security event too."""
    if log_format() == "json":
        handler = logging.StreamHandler()
        handler.setFormatter(FORMATTERS["json"]())
        logger = logging.getLogger("security")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        log_event(logger, "config_error", problem=problem)
        sys.exit(1)
    sys.exit(problem)

"""Log lines: events with their facts, as text or as JSON, without secrets."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from web.origin import current_origin

# A token is all that its bearer needs. Errors of the database quote addresses that were typed.
_TOKEN_IN_PATH = re.compile(r"(/[iI]/)[^/\s?'\"]+")
# Strangers send keys and JWTs also where no program expects them, and errors quote them.
_KEY = re.compile(r"pak_\w+|eyJ[\w-]+\.eyJ[\w-]+(\.[\w-]*)?", re.IGNORECASE | re.ASCII)
_QUERY = re.compile(r"(/[^\s?'\"]*)\?[^\s'\"]+")
_EMAIL_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@(?=[\w-]+\.)")


class Event(dict[str, Any]):
    """The facts of one event; as text they are JSON, so that no value can forge a second line."""

    def __str__(self) -> str:
        return json.dumps(self)


def log_event(logger: logging.Logger, event: str, **facts: Any) -> None:
    """Log one event. Never pass a token, a code or an e-mail address."""
    logger.info(Event(event=event, **facts))


def redact(text: str) -> str:
    """Return the text without tokens, keys, query strings and names in e-mail addresses."""
    if "/" in text:
        text = _TOKEN_IN_PATH.sub(r"\1…", text)
        text = _QUERY.sub(r"\1?…", text)
    if "_" in text or "." in text:
        text = _KEY.sub("…", text)
    return _EMAIL_ADDRESS.sub("…@", text) if "@" in text else text


class MarkCsrfFailures(logging.Filter):
    """Marks the request, for the security log, instead of Django's own line."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if request is None:
            return True
        request.csrf_failed = True
        return False


class WarnOfForgedRequests(logging.Filter):
    """Makes one line of a warning of what Django calls an error: a forged host name, for one.

    The request was answered with 400; nobody has to mend anything.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.security."):
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = None
        return True


class TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {request_id} {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        # The page of an error names it too.
        record.request_id = current_origin().request_id or "-"
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object per line: moment, level, logger, request, and the event or the message."""

    def format(self, record: logging.LogRecord) -> str:
        origin = current_origin()
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "request": origin.request_id,
            "network_address": origin.network_address,
        }
        line |= record.msg if isinstance(record.msg, Event) else {"message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        redacted = {
            name: redact(value) if isinstance(value, str) else value for name, value in line.items()
        }
        return json.dumps(redacted, default=str)


# What LOG_FORMAT can be.
FORMATTERS: dict[str, type[logging.Formatter]] = {"text": TextLines, "json": JsonLines}

"""What the log must never show."""

import logging
import re

_TOKEN_IN_PATH = re.compile(r"(/[iI]/)[^/\s?'\"]+")


class RedactTokens(logging.Filter):
    """Replaces the token in invitation addresses: who holds it holds the offer."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the finished message; the record is always kept."""
        message = record.getMessage()
        redacted = _TOKEN_IN_PATH.sub(r"\1…", message)
        if redacted != message:
            record.msg, record.args = redacted, None
        return True

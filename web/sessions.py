"""Sessions in the database, with keys that are checked before any query."""

import re

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils.crypto import get_random_string

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(DatabaseStore):
    """Ignores keys that Django would never make, so that they reach no database."""

    def cycle_key(self) -> None:
        """Give the session a new key; one without a key gets it when it is saved.

        Django would store it twice at each log-in: here, and at the end of the request.
        """
        if self.session_key is None:
            self.modified = True
        else:
            super().cycle_key()

    def _get_new_session_key(self) -> str:
        """Return a random key without a query: create() tries again if it should exist."""
        return get_random_string(32, VALID_KEY_CHARS)

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None

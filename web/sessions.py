"""Sessions in the database, with keys that are checked before any query."""

import re
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string

from web.fixed_queries import MOMENT, TEXT, fixed_query

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

    def _get_session_from_db(self) -> Any:
        """As Django's, by a query that is compiled once: every page of a signed-in user asks it."""
        found = _live_sessions.first(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found

    def _get_new_session_key(self) -> str:
        """Return a random key without a query: create() tries again if it should exist."""
        return get_random_string(32, VALID_KEY_CHARS)

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None


@fixed_query(TEXT, MOMENT)
def _live_sessions(key: str, now: datetime) -> QuerySet[Any]:
    # Not imported above: settings name this module, and models cannot be imported then.
    sessions: Any = SessionStore.get_model_class().objects
    found: QuerySet[Any] = sessions.filter(session_key=key, expire_date__gt=now)
    return found

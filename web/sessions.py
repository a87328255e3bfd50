"""Sessions in the database, with keys that are checked before any query."""

import re
import secrets
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils import timezone

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

    def save(self: Any, must_create: bool = False) -> None:
        """As Django's, but a new session is one INSERT without a transaction around it.

        That would be two more statements at each log-in.
        """
        if not must_create or connection.in_atomic_block:
            DatabaseStore.save(self, must_create)
            return
        row = self.create_model_instance(self._get_session(no_load=True))
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error

    def _get_session_from_db(self) -> Any:
        """As Django's, by a query that is compiled once: every page of a signed-in user asks it."""
        found = _live_sessions.first(self.session_key, timezone.now())
        if found is None:
            self._session_key = None
        return found

    def _get_new_session_key(self) -> str:
        """Return 128 random bits without a query: create() tries again if they should exist.

        Django draws 32 letters one by one, 370 Python calls.
        """
        return secrets.token_hex(16)

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None


@fixed_query(TEXT, MOMENT)
def _live_sessions(key: str, now: datetime) -> QuerySet[Any]:
    # Not imported above: settings name this module, and models cannot be imported then.
    sessions: Any = SessionStore.get_model_class().objects
    found: QuerySet[Any] = sessions.filter(session_key=key, expire_date__gt=now)
    return found

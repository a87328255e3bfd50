"""Where sessions are: in the database, under keys of which there can be one."""

import re

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(DatabaseStore):
    """Django's, except that a key it would never make is no session and reaches no database."""

    def _validate_session_key(self, key: str | None) -> bool:
        return key is not None and _KEY.fullmatch(key) is not None

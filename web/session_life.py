"""How long a log-in lasts: twelve hours, and for some users thirty minutes without a request.

For whom, the user says at each request (`idle_time_is_limited`), not the session: who becomes a
member or administrator is limited in every browser at once, and who was one stays limited for as
long as log-ins of that time last: none that has ended comes back.
The moment of the last request is in a signed cookie, because a GET writes no row. Without the
cookie the moment of the log-in counts, so deleting it gains nothing.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase

_SIGNED_IN_AT = "signed_in_at"
# Between two cookies, so that not every answer has one.
_STEP_SECONDS = 60
_FRESH_SECONDS = 10 * 60


def begin_login(session: SessionBase) -> None:
    """Note in a new session when it began."""
    session[_SIGNED_IN_AT] = int(time.time())


def is_fresh(session: SessionBase) -> bool:
    """Return whether the log-in was within the last ten minutes: then the person is still there."""
    began = session.get(_SIGNED_IN_AT)
    return began is not None and time.time() - began < _FRESH_SECONDS


def has_ended(request: HttpRequest, user: Any) -> bool:
    """Return whether the user's log-in is over. Sessions without a log-in never are."""
    began, now = request.session.get(_SIGNED_IN_AT), time.time()
    if began is None:
        return False
    if now - began >= settings.SESSION_COOKIE_AGE:
        return True
    is_limited: bool = user.idle_time_is_limited
    return is_limited and now - max(began, _last_request(request)) >= settings.IDLE_SECONDS


def note_request(request: HttpRequest, response: HttpResponseBase) -> None:
    now, user = int(time.time()), request.user
    is_limited = getattr(user, "idle_time_is_limited", False)
    if not is_limited or now - _last_request(request) < _STEP_SECONDS:
        return
    response.set_cookie(
        settings.ACTIVE_COOKIE_NAME,
        _signer(request).sign(str(now)),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _last_request(request: HttpRequest) -> int:
    try:
        return int(_signer(request).unsign(request.COOKIES.get(settings.ACTIVE_COOKIE_NAME, "")))
    except BadSignature:
        return 0


def _signer(request: HttpRequest) -> Signer:
    # By the salt, the cookie of another session has a wrong signature.
    return Signer(salt=f"web.session_life {request.session.session_key}")

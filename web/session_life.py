"""How long a log-in lasts: twelve hours, and for some users thirty minutes without a request.

The moment of the last request is in a signed cookie, because a GET writes no row. Without the
cookie the moment of the log-in counts, so deleting it gains nothing.
"""

import time

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase

_SIGNED_IN_AT, _LIMITED = "signed_in_at", "idle_is_limited"
# Between two cookies, so that not every answer has one.
_STEP_SECONDS = 60


def begin_login(session: SessionBase, *, limited: bool) -> None:
    """Note in a new session when it began, and whether it ends without requests."""
    session[_SIGNED_IN_AT], session[_LIMITED] = int(time.time()), limited


def limit_idle_time(session: SessionBase) -> None:
    session[_LIMITED] = True


def has_ended(request: HttpRequest) -> bool:
    """Return whether the log-in of this session is over. Sessions without a log-in never are."""
    began, now = request.session.get(_SIGNED_IN_AT), time.time()
    if began is None:
        return False
    if now - began >= settings.SESSION_COOKIE_AGE:
        return True
    is_limited = bool(request.session.get(_LIMITED))
    return is_limited and now - max(began, _last_request(request)) >= settings.IDLE_SECONDS


def note_request(request: HttpRequest, response: HttpResponseBase) -> None:
    now = int(time.time())
    if not request.session.get(_LIMITED) or now - _last_request(request) < _STEP_SECONDS:
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

"""Browsers that a user has logged in with before, or has proven the mailbox in.

Each has a signed cookie, as OWASP describes under the name of device cookies. It says nothing about
its user, and is no log-in: it only exempts its browser from limits that others have used up.
"""

import secrets

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

from accounts.models import User


def find_known_browser(request: HttpRequest, user: User | None) -> str | None:
    """Return the identity of this browser, if the user has logged in with it, else None."""
    if user is None:
        return None
    cookie = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        return _signer_of(user).unsign(cookie, max_age=settings.KNOWN_BROWSER_COOKIE_AGE)
    except BadSignature:
        return None


def remember_known_browser(response: HttpResponse, user: User) -> None:
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        _signer_of(user).sign(secrets.token_urlsafe(12)),
        max_age=settings.KNOWN_BROWSER_COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def _signer_of(user: User) -> TimestampSigner:
    # By the salt, another user's cookie has a wrong signature.
    return TimestampSigner(salt=f"accounts.known_browsers {user.pk}")

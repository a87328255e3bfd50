"""The one cookie of the journey: it makes an attempt this browser's until it has an account."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from association.services.attempts import new_browser_secret

_SECRET = re.compile(r"[0-9a-f]{32}")


def browser_secret_of(request: HttpRequest) -> str:
    """Return the browser's secret, or a new one when it has none that we could have made."""
    secret = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    return secret if _SECRET.fullmatch(secret) else new_browser_secret()


def remember_browser(response: HttpResponse, secret: str) -> HttpResponse:
    """Set the cookie on the answer to the POST that started an attempt."""
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        secret,
        max_age=settings.BROWSER_COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response

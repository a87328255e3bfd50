"""The cookies of this site: which there are, and which of them make a page somebody's own."""

from django.conf import settings
from django.http import HttpRequest


def personal_cookies() -> set[str]:
    """Return the names of the cookies that say who comes, or what to tell them."""
    return {
        settings.SESSION_COOKIE_NAME,
        settings.BROWSER_COOKIE_NAME,
        settings.MESSAGE_COOKIE_NAME,
    }


def is_known(request: HttpRequest) -> bool:
    """Whether the browser has a cookie of ours that could change what a page shows."""
    return not personal_cookies().isdisjoint(request.COOKIES)


def has_any_cookie(request: HttpRequest) -> bool:
    """Whether the browser has any cookie of ours; those of other sites on this host are not."""
    ours = {*personal_cookies(), settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    return not ours.isdisjoint(request.COOKIES)

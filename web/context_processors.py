"""What every page may show."""

from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils import translation


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the provider's name and the languages to switch to."""
    return shown_everywhere(carried_query(request))


def carried_query(request: HttpRequest) -> str:
    """Return what the address asks beside the language, with `&` at its end; or nothing.

    A query that cannot be read is carried nowhere: the page that says so is shown all the same.
    """
    if not request.META.get("QUERY_STRING"):
        return ""
    try:
        query = request.GET.copy()
    except (SuspiciousOperation, ValueError):
        return ""
    query.pop("lang", None)
    return f"{query.urlencode()}&" if query else ""


def shown_everywhere(carried: str) -> dict[str, Any]:
    """Return what `site()` does, for an address whose query is `carried` beside the language."""
    current = translation.get_language()
    return {
        "PROVIDER_NAME": settings.PROVIDER_NAME,
        "languages": [
            {
                "code": code,
                "name": translation.get_language_info(code)["name_local"],
                "url": f"?{carried}lang={code}",
                "current": code == current,
            }
            for code, _name in settings.LANGUAGES
        ],
    }

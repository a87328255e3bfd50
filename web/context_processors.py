"""The variables that every page has."""

from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils import translation

from web.provider import support_url


def site(request: HttpRequest) -> dict[str, Any]:
    return site_context(query_without_language(request))


def query_without_language(request: HttpRequest) -> str:
    """Return the URL's query without the language, with `&` at its end; or nothing.

    A query that Django cannot read gives nothing: the page that reports it must still be shown.
    """
    if not request.META.get("QUERY_STRING"):
        return ""
    try:
        query = request.GET.copy()
    except (SuspiciousOperation, ValueError):
        return ""
    query.pop("lang", None)
    return f"{query.urlencode()}&" if query else ""


def site_context(query: str) -> dict[str, Any]:
    current = translation.get_language()
    return {
        "PROVIDER_NAME": settings.PROVIDER_NAME,
        "PROVIDER_SUPPORT": support_url(),
        "ISSUERS": settings.OIDC_PROVIDERS,
        "PASSWORD_LOGIN": settings.PASSWORD_LOGIN,
        "PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
        "languages": [
            {
                "code": code,
                "name": translation.get_language_info(code)["name_local"],
                "url": f"?{query}lang={code}",
                "current": code == current,
            }
            for code, _name in settings.LANGUAGES
        ],
    }

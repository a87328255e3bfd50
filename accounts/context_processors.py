"""What every page may show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the provider's name, the languages to switch to, and whether this is the demo."""
    current = translation.get_language()
    query = request.GET.copy()
    languages = []
    for code, _name in settings.LANGUAGES:
        query["lang"] = code
        languages.append(
            {
                "code": code,
                "name": translation.get_language_info(code)["name_local"],
                "url": f"?{query.urlencode()}",
                "current": code == current,
            }
        )
    return {
        "PROVIDER_NAME": settings.PROVIDER_NAME,
        "languages": languages,
        "demo": settings.DEMO,
    }

"""What happens to every request: its origin, its language, and the headers of its answer."""

import ipaddress
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.origin import Origin, set_origin

GetResponse = Callable[[HttpRequest], HttpResponseBase]

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def client_address(request: HttpRequest) -> str | None:
    """Return the client's network address; forwarded ones are believed from our proxies only."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address in settings.TRUSTED_PROXIES and forwarded and forwarded[-1].strip():
        address = forwarded.pop().strip()
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


class OriginMiddleware:
    """Makes the client's address and a request id known to evidence, limits and logs."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request with its origin set, and forget the origin afterwards."""
        set_origin(Origin(address=client_address(request), request_id=uuid.uuid4().hex))
        try:
            return self.get_response(request)
        finally:
            set_origin(Origin())


def supported_language(code: str | None) -> str | None:
    """Return the language as `LANGUAGES` spells it, or None when we do not speak it."""
    return code if code in dict(settings.LANGUAGES) else None


class LanguageMiddleware(LocaleMiddleware):
    """Chooses the language: `?lang=`, else the reader's cookie, else what the browser asks for.

    `request.language_choice` is the reader's own choice or None; a page about an invitation lets
    the invitation's language come between the choice and the browser. A choice made in the address
    is stored with the first POST, and with a GET only when the browser already has a cookie of
    ours: whoever merely looks gets none.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language for this request."""
        request.language_choice = supported_language(  # type: ignore[attr-defined]
            request.GET.get("lang")
        ) or supported_language(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME))
        language = request.language_choice or translation.get_language_from_request(  # type: ignore[attr-defined]
            request
        )
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Name the language of the answer and store a choice that was made in the address."""
        response = super().process_response(request, response)
        choice = supported_language(request.GET.get("lang"))
        if choice and (request.method == "POST" or request.COOKIES):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                choice,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response


class HeadersMiddleware:
    """Adds to every answer, errors and static files included, what Django has no setting for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, forbid storing anything dynamic, and forbid use from other origins."""
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if not (request.path.startswith(settings.STATIC_URL) and response.status_code < 400):
            response["Cache-Control"] = "no-store"
            response["X-Robots-Tag"] = "noindex, nofollow"
            patch_vary_headers(response, ["Cookie"])
        return response

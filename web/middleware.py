"""What happens to every request: its origin, its language, and the headers of its answer."""

import uuid
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from web.cookies import has_any_cookie
from web.origin import Origin, canonical_ip, set_origin

NOWHERE = Origin()
GetResponse = Callable[[HttpRequest], HttpResponseBase]

PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def client_address(request: HttpRequest) -> str | None:
    """Return the client's network address; forwarded ones are believed from our proxies only."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address in settings.TRUSTED_PROXIES and forwarded and forwarded[-1].strip():
        address = forwarded.pop().strip()
    return canonical_ip(address)


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
            set_origin(NOWHERE)


def supported_language(code: str | None) -> str | None:
    """Return the language as `LANGUAGES` spells it, or None when we do not speak it."""
    return code if code and code in dict(settings.LANGUAGES) else None


class LanguageMiddleware:
    """Chooses the language: `?lang=`, else the reader's cookie, else what the browser asks for.

    `request.language_choice` is the reader's own choice or None; a page about an invitation lets
    the invitation's language come between the choice and the browser. A choice made in the address
    is stored with the first POST, and with a GET only when the browser already has a cookie of
    ours: whoever merely looks gets none. Django's own middleware also looks for a language in the
    path, where ours never is.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the reader's language, name it, and store a choice made in the address."""
        in_address = supported_language(request.GET.get("lang"))
        request.language_choice = in_address or supported_language(  # type: ignore[attr-defined]
            request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        )
        request.LANGUAGE_CODE = (
            request.language_choice  # type: ignore[attr-defined]
            or translation.get_language_from_request(request)
        )
        translation.activate(request.LANGUAGE_CODE)
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language())
        if in_address and (request.method == "POST" or has_any_cookie(request)):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                in_address,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response


class LogInMiddleware(LoginRequiredMiddleware):
    """Asks for a log-in on every page that is not marked as public.

    Who opens a public page is not even looked up; Django would do that first.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Return None to go on, else the way to log in."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)


class PolicyMiddleware(CSPMiddleware):
    """Adds the Content-Security-Policy, the same for all pages but those that adjust their own.

    It is written out once, not for every answer: that would take a fifth of a cheap page's time.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.policy = build_policy()
        marks = ("_csp_exempt", "_csp_config", "_csp_update", "_csp_replace")
        self.marks = {*marks, *(f"{mark}_ro" for mark in marks)}

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Add the header; django-csp's decorators leave their marks on the answer."""
        if not self.marks.isdisjoint(vars(response)):
            return super().process_response(request, response)
        response[HEADER] = self.policy
        return response


class HeadersMiddleware:
    """Adds to every answer, errors and static files included, what Django has no setting for.

    Where the public address is https, that http is forbidden is said even when the proxy does not
    say how it was asked; browsers believe it over https only.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, forbid storing anything dynamic, and forbid use from other origins."""
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        if settings.SECURE_HSTS_SECONDS:
            response["Strict-Transport-Security"] = (
                f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
            )
        if not (request.path.startswith(settings.STATIC_URL) and response.status_code < 400):
            response["Cache-Control"] = "no-store"
            response["X-Robots-Tag"] = "noindex, nofollow"
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

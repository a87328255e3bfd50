"""Middleware: origin, language and log-in of a request, and the headers of its answer."""

import re
import secrets
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.middleware import (
    AuthenticationMiddleware,
    LoginRequiredMiddleware,
    get_user,
)
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

from web.answers import busy
from web.cookies import has_any_cookie
from web.errors import method_not_allowed
from web.origin import Origin, canonical_ip, set_origin
from web.session_life import has_ended, note_request
from web.typed import give_back, note_unsent
from web.waits import waiting_at_most

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_REQUEST_ID = re.compile(r"[0-9A-Za-z]{8,32}")
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def client_address(request: HttpRequest) -> str | None:
    """Return the client's network address; X-Forwarded-For counts from trusted proxies only."""
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    while address in settings.TRUSTED_PROXIES and forwarded and forwarded[-1].strip():
        address = forwarded.pop().strip()
    return canonical_ip(address)


def request_id(request: HttpRequest) -> str:
    """Return the id that a trusted proxy gave the request, or a new one."""
    if request.META.get("REMOTE_ADDR") in settings.TRUSTED_PROXIES:
        given = str(request.META.get("HTTP_X_REQUEST_ID", "")).replace("-", "")
        if _REQUEST_ID.fullmatch(given):
            return given
    return secrets.token_hex(16)


class OriginMiddleware:
    """Notes the origin of the request, and answers errors as their readers expect them.

    `ERROR_ANSWERS` has functions that make an answer for programs of an error page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        answers = settings.ERROR_ANSWERS
        self.error_answers = {path: import_string(name) for path, name in answers.items()}
        self.paths = tuple(answers)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        set_origin(Origin(client_address(request), request_id(request)))
        try:
            response = self.get_response(request)
            if response.status_code >= 400 and request.path_info.startswith(self.paths):
                return self.answer(request, response)
            return response
        finally:
            set_origin(Origin())

    def answer(self, request: HttpRequest, page: HttpResponseBase) -> HttpResponseBase:
        path = next(path for path in self.paths if request.path_info.startswith(path))
        answer: HttpResponseBase = self.error_answers[path](page)
        return answer


class CapacityMiddleware:
    """Answers 503 at once to a POST that would be refused as Busy, before anything else runs.

    A flood of log-ins gets this answer thousands of times: through the session, the form and the
    view it costs six times as much, and pages wait in the same queue.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        checks = settings.CAPACITY_CHECKS
        self.is_full = {path: import_string(name) for path, name in checks.items()}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_full = self.is_full.get(request.path_info) if request.method == "POST" else None
        return busy(request) if is_full and is_full() else self.get_response(request)


class WaitLimitMiddleware:
    """Limits how long the request waits for the database and the cache, in sum.

    What an answer streams afterwards is outside of it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with waiting_at_most(settings.REQUEST_WAIT_SECONDS):
            return self.get_response(request)


def supported_language(code: str | None) -> str | None:
    return code if code and code in dict(settings.LANGUAGES) else None


class LanguageMiddleware:
    """Chooses the language: `?lang=`, else the language cookie, else what the browser asks for.

    `request.language_choice` is the reader's own choice or None; pages about an invitation prefer
    the invitation's language to the browser's. A choice in the URL is stored by any POST, and by a
    GET only if the browser has a cookie of ours already: a first visit sets no cookie.

    Django's LocaleMiddleware would also look for a language in the path, where there is none.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        in_url = supported_language(request.GET.get("lang"))
        in_cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        chosen = in_url or supported_language(in_cookie)
        request.language_choice = chosen  # type: ignore[attr-defined]
        request.LANGUAGE_CODE = chosen or translation.get_language_from_request(request)
        translation.activate(request.LANGUAGE_CODE)
        response = self.get_response(request)
        if response.status_code == 405:
            # Django answers without a page. Here, because the page is written in this language, and
            # one more middleware would cost every request.
            response = method_not_allowed(request, response)
        response.headers.setdefault("Content-Language", translation.get_language())
        if in_url and (request.method == "POST" or has_any_cookie(request)):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                in_url,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
        return response


class SignedInMiddleware(AuthenticationMiddleware):
    """As Django's; but after a log-in has ended the user is anonymous (`web/session_life.py`)."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: _present_user(request))  # type: ignore[assignment]

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if getattr(request, "login_has_ended", None) is False:
            note_request(request, response)
        return response


def _present_user(request: HttpRequest) -> Any:
    """Return the signed-in user. Runs only for requests that ask who it is."""
    user = get_user(request)
    if not user.is_authenticated:
        return user
    request.login_has_ended = has_ended(request, user)  # type: ignore[attr-defined]
    return AnonymousUser() if request.login_has_ended else user  # type: ignore[attr-defined]


class LogInMiddleware(LoginRequiredMiddleware):
    """Requires a log-in for every view that is not marked as public.

    For public views the user is not even loaded; Django's own middleware would load it first. A
    form whose log-in has ended meanwhile is given back, to be sent again.
    """

    def process_view(
        self, request: HttpRequest, view_func: Any, *arguments: Any
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, *arguments)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        answer = give_back(request)
        if answer is None:
            note_unsent(request)
        return answer or super().handle_no_permission(request, view_func)


class PolicyMiddleware(CSPMiddleware):
    """Adds the Content-Security-Policy, with a remembered header unless a view changes its policy.

    Building the header for every answer would take a fifth of a cheap page's time.
    """

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.policy = build_policy()
        # django-csp's decorators set these attributes on the answer.
        marks = ("_csp_exempt", "_csp_config", "_csp_update", "_csp_replace")
        self.marks = {*marks, *(f"{mark}_ro" for mark in marks)}

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not self.marks.isdisjoint(vars(response)):
            return super().process_response(request, response)
        response[HEADER] = self.policy
        return response


class HeadersMiddleware:
    """Adds headers that Django has no setting for to every answer.

    First in MIDDLEWARE, so that errors and static files have them too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Set by `as_static()`.
        is_static_answer = hasattr(response, "is_static")
        response["Permissions-Policy"] = PERMISSIONS_POLICY
        response["Cross-Origin-Resource-Policy"] = (
            "cross-origin" if is_static_answer else "same-origin"
        )
        if settings.SECURE_HSTS_SECONDS:
            # Django sends it on secure requests only, but a proxy may not tell us the scheme.
            # Browsers ignore the header over http, so it is safe to send always.
            hsts = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
            response["Strict-Transport-Security"] = hsts
        is_static_file = request.path.startswith(settings.STATIC_URL) and response.status_code < 400
        if is_static_answer:
            response.cookies.clear()
        elif not is_static_file:
            response["Cache-Control"] = "no-store"
            response["X-Robots-Tag"] = "noindex, nofollow"
            if response.has_header("Vary"):
                patch_vary_headers(response, ["Accept-Language", "Cookie"])
            else:
                response["Vary"] = "Accept-Language, Cookie"
        return response

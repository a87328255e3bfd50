"""Every answer of every status has the agreed headers."""

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.test import Client, override_settings
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from tests.conventions.routes import routes
from tests.factories import UserFactory
from web import errors

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
REAL_ADDRESSES = {
    "/livez": 200,
    "/join/": 200,
    "/account/": 302,
    "/admin/": 302,
    "/no-such-page": 404,
    "/static/favicon.svg": 200,
    "/static/no-such-file": 404,
    "/static/../config/settings.py": 404,
}


def raising(error):
    @login_not_required
    def view(request):
        raise error

    return view


def answering(response):
    @login_not_required
    def view(request):
        return response()

    return view


urlpatterns = [
    path("200", answering(lambda: HttpResponse("Hello"))),
    path("302", answering(lambda: HttpResponseRedirect("/200"))),
    path("304", answering(HttpResponseNotModified)),
    path("400", raising(BadRequest())),
    path("403", raising(PermissionDenied())),
    path("404", raising(Http404())),
    path("405", login_not_required(require_POST(answering(HttpResponse)))),
    path("500", raising(RuntimeError("a mistake"))),
    path("503", raising(OperationalError("the database is away"))),
]
handler400 = errors.bad_request
handler500 = errors.server_error


def assert_complete(response, *, dynamic=True):
    assert {name: response.get(name) for name in ALWAYS} == ALWAYS
    assert response.get("Permissions-Policy")
    policy = {part.strip() for part in response["Content-Security-Policy"].split(";")}
    assert policy >= POLICY
    assert "Access-Control-Allow-Origin" not in response
    if dynamic:
        assert response["Cache-Control"] == "no-store"
        assert "Cookie" in response["Vary"]
        assert response["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("status", [200, 302, 304, 400, 403, 404, 405, 500, 503])
def test_every_status_carries_the_headers(db, status):
    response = Client(raise_request_exception=False).get(f"/{status}")

    assert response.status_code == status
    assert_complete(response)


@pytest.mark.parametrize(("address", "status"), REAL_ADDRESSES.items())
def test_the_pages_carry_the_headers(client, db, address, status):
    response = client.get(address)
    response.close()

    assert response.status_code == status
    assert_complete(response, dynamic=not (address.startswith("/static/") and status == 200))


def test_a_refused_form_carries_the_headers(db):
    response = Client(enforce_csrf_checks=True).post("/account/login/")

    assert response.status_code == 403
    assert_complete(response)


def test_static_files_set_no_cookie(client, db):
    response = client.get("/static/favicon.svg")
    response.close()

    assert response.status_code == 200
    assert dict(response.cookies) == {}
    assert "no-store" not in response["Cache-Control"]


@override_settings(SECURE_HSTS_SECONDS=365 * 24 * 60 * 60, SECURE_HSTS_INCLUDE_SUBDOMAINS=True)
@pytest.mark.parametrize("secure", [True, False], ids=["HTTPS", "no scheme"])
def test_https_answers_forbid_http(db, secure):
    response = Client().get("/livez", secure=secure)

    assert response["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def test_http_answers_do_not_forbid_http(client):
    assert "Strict-Transport-Security" not in client.get("/livez")


@pytest.mark.urls(__name__)
def test_a_missing_header_is_noticed(db):
    response = Client().get("/200")
    del response["X-Frame-Options"]

    with pytest.raises(AssertionError):
        assert_complete(response)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_method_that_no_page_accepts_gets_a_page_of_ours(method):
    wrong = {}
    for route in routes():
        if route.parameters or not route.name or route.name.startswith("admin:"):
            continue
        if route.needs_key or route.name == "openapi":
            # Programs get a problem instead of a page.
            continue
        client = Client(raise_request_exception=False)
        client.force_login(UserFactory.create())
        response = client.generic(method, reverse(route.name))
        is_ours = b"<h1>That is not possible at this address</h1>" in response.content
        if response.status_code != 405 or not is_ours or not response.get("Allow"):
            wrong[route.name] = response.status_code
        else:
            assert_complete(response)
    assert wrong == {}

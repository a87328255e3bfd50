"""Hostile requests, slow databases and caches: each is answered quickly, with all headers."""

import io
import json
import os
import runpy
import socket
import subprocess
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import path

from accounts.enums import CodePurpose
from accounts.models import VerificationCode
from accounts.services.codes import check_code, derive_code, send_code, spend_code
from tests.conventions.test_headers import assert_complete
from web import errors
from web.body_limits import LARGEST_ADMIN_BODY, LARGEST_BODY
from web.handlers import SiteWSGIHandler
from web.refused import Refused
from web.sessions import SessionStore

MANY = "&".join(f"q{number}=1" for number in range(1_001))
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
CODE = {"email": "new@example.org", "purpose": CodePurpose.REGISTER, "flow": "flow"}
CHARSETS = [
    *("zlib", "rot13", "base64_codec", "hex", "punycode", "undefined", "idna"),
    *("unicode_escape", "raw_unicode_escape", "utf-16", "latin-1", "utf-7", "no-such", '""'),
]
TOKEN = "0123456789ABCDEFGHJKMNPQRS"


@login_not_required
def slow(request):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 50")
        cursor.execute("SELECT pg_sleep(5)")
    return HttpResponse()


urlpatterns = [path("slow", slow)]
handler500 = errors.server_error


def answer(request):
    """Answer as the WSGI application does, which also makes the request object."""
    response = SiteWSGIHandler().get_response(SiteWSGIHandler.request_class(request.environ))
    response.close()
    return response


@pytest.mark.parametrize("address", ["/join/", "/account/login/", "/livez", "/no-such-page"])
def test_a_query_of_too_many_parts_is_rejected(db, address):
    response = Client().get(f"{address}?{MANY}")

    assert response.status_code == 400
    assert_complete(response)
    assert response["Content-Language"] == "en"


@pytest.mark.parametrize("content_type", ["", "text/plain; charset=utf-8"])
def test_a_query_of_too_many_parts_is_rejected_for_any_content_type(db, content_type):
    request = RequestFactory().get("/join/")
    request.environ.update(QUERY_STRING=MANY, CONTENT_TYPE=content_type)
    response = answer(request)

    assert response.status_code == 400
    assert_complete(response)


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_other_charsets_are_rejected(db, method, charset):
    factory = RequestFactory()
    request = factory.get("/join/") if method == "GET" else factory.post("/join/", {"a": "b"})
    kind = request.environ.get("CONTENT_TYPE") or "text/plain"
    request.environ.update(QUERY_STRING="a=b%FF", CONTENT_TYPE=f"{kind}; charset={charset}")
    response = answer(request)

    assert response.status_code == 400
    assert_complete(response)


@pytest.mark.parametrize("parameter", ["charset*=undefined''x", "boundary*=idna''x", "a*=nope''x"])
def test_unreadable_content_types_are_rejected(db, parameter):
    request = RequestFactory().get("/join/")
    request.environ.update(QUERY_STRING="a=b", CONTENT_TYPE=f"multipart/form-data; {parameter}")
    response = answer(request)

    assert response.status_code == 400
    assert_complete(response)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"', None])
def test_utf8_and_no_charset_are_accepted(db, charset):
    request = RequestFactory().get("/join/", {"lang": "en"})
    if charset:
        request.environ["CONTENT_TYPE"] = f"text/plain; charset={charset}"

    assert answer(request).status_code == 200


@pytest.mark.parametrize("charset", ["undefined", "idna", "zlib", "nope"])
def test_a_part_with_another_charset_is_no_server_error(db, charset):
    body = f"--x\r\nContent-Disposition: form-data; name*={charset}''a\r\n\r\nb\r\n--x--\r\n"
    response = Client().post("/join/", body, content_type="multipart/form-data; boundary=x")

    assert response.status_code < 500


@pytest.mark.parametrize(
    ("address", "length", "status"),
    [
        ("/join/", LARGEST_BODY + 1, 413),
        ("/account/login/", 40_000_000, 413),
        ("/admin/login/", LARGEST_BODY + 1, 403),
        ("/admin/login/", LARGEST_ADMIN_BODY + 1, 413),
    ],
)
def test_large_bodies_are_rejected_unread(db, address, length, status):
    request = RequestFactory().post(address)
    request.environ.update(CONTENT_LENGTH=str(length), CONTENT_TYPE="text/plain")
    response = answer(request)

    assert response.status_code == status
    assert_complete(response)
    help_text = "Need help? The form that you sent says how large a file may be."
    assert (help_text in response.content.decode()) is (status == 413)


def test_form_with_too_much_text_is_too_large(db):
    response = Client().post("/admin/login/", {"username": "a" * (LARGEST_BODY + 1)})

    assert response.status_code == 413
    assert_complete(response)


def test_files_are_rejected_outside_the_admin(db):
    response = Client().post("/join/", {"file": SimpleUploadedFile("a.txt", b"a" * 1_000_000)})

    assert response.status_code == 400
    assert_complete(response)


@pytest.mark.parametrize("length", ["", "-1", "3", "no number"])
def test_wrong_lengths_cause_no_server_error(db, length):
    request = RequestFactory().post("/join/", {"a": "b" * 1_000})
    request.environ["CONTENT_LENGTH"] = length

    assert answer(request).status_code < 500


@pytest.mark.parametrize("name", ["SESSION", "CSRF", "LANGUAGE", "BROWSER", "MESSAGE"])
@pytest.mark.parametrize("address", ["/account/", "/join/", "/account/login/", f"/i/{TOKEN}"])
@pytest.mark.parametrize("value", [r"\000" + "a" * 10, r"\000" + "a" * 31, "é" * 32, "a" * 4_000])
def test_impossible_cookies_are_ignored(db, name, address, value):
    cookie = getattr(settings, f"{name}_COOKIE_NAME")
    for method in ("get", "post"):
        client = Client(raise_request_exception=False)
        response = getattr(client, method)(address, headers={"cookie": f'{cookie}="{value}"'})

        assert response.status_code < 500
        assert_complete(response)


def test_impossible_session_keys_reach_no_database(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert SessionStore("\0aaaaaaaaaa").session_key is None
        assert SessionStore("A" * 32).session_key is None
        assert SessionStore("a" * 33).session_key is None
    store = SessionStore()
    store["name"] = "value"
    store.save()
    assert SessionStore(store.session_key)["name"] == "value"


@pytest.fixture
def gunicorn_settings(monkeypatch):
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT_MS", "")
    monkeypatch.delenv("DATABASE_STATEMENT_TIMEOUT_MS")
    return runpy.run_path(str(ROOT / "config" / "gunicorn.conf.py"))


@pytest.fixture
def gunicorn_log(gunicorn_settings):
    config = import_module("gunicorn.config").Config()
    config.set("logger_class", gunicorn_settings["logger_class"])
    # An operator may turn it on.
    config.set("accesslog", "-")
    logger, stream = config.logger_class(config), io.StringIO()
    for log in (logger.error_log, logger.access_log):
        for handler in log.handlers:
            handler.setStream(stream)
    yield logger, stream
    for log in (logger.error_log, logger.access_log):
        log.handlers.clear()


def test_the_server_logs_no_token(gunicorn_log, gunicorn_settings):
    logger, stream = gunicorn_log
    try:
        raise RuntimeError("in the address", "/i/" + TOKEN)
    except RuntimeError:
        logger.exception("Error handling request %s", f"/i/{TOKEN}")
    logger.access_log.info("GET /i/%s", TOKEN)

    assert TOKEN not in stream.getvalue()
    assert stream.getvalue().count("/i/…") == 3
    assert "RuntimeError: ('in the address', " in stream.getvalue()
    assert gunicorn_settings["accesslog"] is None


def run_python(program, **environment):
    """Return the output of a program in a new process with this environment."""
    done = subprocess.run(  # noqa: S603 - a program of this test
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "DEMO": "1", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def in_settings(expression, **environment):
    program = f"import json; from config import settings; print(json.dumps({expression}))"
    return json.loads(run_python(program, **environment))


@pytest.mark.slow
def test_database_timeouts_of_pages(gunicorn_settings):
    address = "postgres://postgres@127.0.0.1/name?options=-c%20work_mem%3D8MB"
    options = in_settings("settings.DATABASES['default']['OPTIONS']", DATABASE_URL=address)

    assert options == {
        "connect_timeout": 2,
        "tcp_user_timeout": 3000,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "prepare_threshold": 2**31,
        "options": (
            "-c lock_timeout=1500 -c statement_timeout=2000"
            " -c idle_in_transaction_session_timeout=6000"
            " -c client_connection_check_interval=500 -c work_mem=8MB"
        ),
    }


@pytest.mark.slow
def test_commands_have_no_statement_timeout():
    options = in_settings(
        "settings.DATABASES['default']['OPTIONS']",
        DATABASE_URL="postgres://postgres@127.0.0.1/name",
        DATABASE_STATEMENT_TIMEOUT_MS="0",
    )

    assert "options" not in options
    assert options["connect_timeout"] == 2


@pytest.mark.postgresql
@pytest.mark.urls(__name__)
def test_a_statement_that_takes_too_long_is_answered_with_503(db):
    response = Client(raise_request_exception=False).get("/slow")

    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert_complete(response)


@pytest.mark.slow
def test_a_cache_that_hangs_is_given_up_after_a_second():
    program = (
        "import time, django; django.setup()\n"
        "from django.core.cache import cache\n"
        "start = time.monotonic()\n"
        "try:\n"
        "    cache.get('key')\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, time.monotonic() - start)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        printed = run_python(
            program,
            DJANGO_SETTINGS_MODULE="config.settings",
            CACHE_URL=f"redis://127.0.0.1:{server.getsockname()[1]}",
        )
    error, seconds = printed.split()

    assert error == "TimeoutError"
    assert 0.9 < float(seconds) < 2.5


@pytest.mark.slow
def test_cache_options_in_the_url_override_ours():
    options = in_settings(
        "{n: v for n, v in settings.CACHES['default']['OPTIONS'].items() if 'timeout' in n}",
        CACHE_URL="redis://127.0.0.1:6379?socket_timeout=3",
    )

    assert options == {"socket_connect_timeout": 1, "socket_timeout": 3}


def refusal_of(code):
    with pytest.raises(Refused) as caught:
        check_code(**CODE, code=code, now=NOW)
    return caught.value.code


@pytest.fixture
def sent(db):
    row = send_code(**CODE, language="en", now=NOW).row
    assert row is not None
    right = derive_code(row, None)
    return right, f"{(int(right) + 1) % 10**6:06}"


def test_two_clicks_after_four_wrong_codes_both_prove_the_address(sent):
    right, wrong = sent
    assert [refusal_of(wrong) for _ in range(4)] == ["wrong"] * 4

    proofs = [check_code(**CODE, code=right, now=NOW) for _ in range(2)]

    assert proofs[0] == proofs[1]
    assert spend_code(proof=proofs[0], now=NOW)
    assert check_code(**CODE, code=right, now=NOW) == proofs[0]
    assert refusal_of(right) == "used_up"


def test_a_code_that_is_spent_is_tried_five_times_at_most(sent):
    right, _wrong = sent
    spend_code(proof=check_code(**CODE, code=right, now=NOW), now=NOW)

    for _ in range(4):
        check_code(**CODE, code=right, now=NOW)

    assert refusal_of(right) == "used_up"


def test_right_codes_in_between_allow_no_more_wrong_ones(sent):
    right, wrong = sent
    for _ in range(9):
        check_code(**CODE, code=right, now=NOW)
    assert refusal_of(wrong) == "wrong"

    assert VerificationCode.objects.get().tries == 5
    assert refusal_of(right) == "used_up"

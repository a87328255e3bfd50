"""Log lines: what a line of each format contains, and what no line contains."""

import io
import json
import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from config.logs import refuse_to_start
from web.logs import JsonLines, TextLines, log_event, redact
from web.middleware import OriginMiddleware
from web.origin import Origin, set_origin

TOKEN = "ABCDEFGHJKMNPQRSTVWXYZ0123"
HOSTILE = 'a\r\nb\x1b[31m\u2028"c'


@pytest.fixture
def lines():
    """Return the lines of a logger that writes JSON."""
    logger = logging.getLogger("lines of a test")
    written = []

    class Handler(logging.Handler):
        def emit(self, record):
            written.append(self.format(record))

    handler = Handler()
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield logger, written
    logger.removeHandler(handler)


def test_event_is_one_json_object_with_moment_request_and_address(lines):
    logger, written = lines
    set_origin(Origin("192.0.2.7", "a" * 32))
    log_event(logger, "thing.done", number=3)
    set_origin(Origin())
    [line] = [json.loads(text) for text in written]
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "lines of a test",
        "request": "a" * 32,
        "network_address": "192.0.2.7",
        "event": "thing.done",
        "number": 3,
    }


def test_hostile_text_stays_in_one_line_and_comes_back_whole(lines):
    logger, written = lines
    log_event(logger, "thing.done", name=HOSTILE)
    logger.warning("Something about %s", HOSTILE)
    assert [len(text.splitlines()) for text in written] == [1, 1]
    assert [text for text in written if not text.isascii()] == []
    event, message = map(json.loads, written)
    assert (event["name"], message["message"]) == (HOSTILE, f"Something about {HOSTILE}")


def test_traceback_is_in_the_line_without_secrets(lines):
    logger, written = lines
    try:
        raise ValueError(f"Key (email)=(ann.lee+x@example.org) at /i/{TOKEN}?code=123456")
    except ValueError:
        logger.exception("It failed")
    [line] = map(json.loads, written)
    assert line["message"] == "It failed"
    assert "ValueError: Key (email)=(…@example.org) at /i/…?…" in line["traceback"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"/i/{TOKEN}", "/i/…"),
        (f"/I/{TOKEN}/account", "/I/…/account"),
        ("/account/login/?next=/secret&code=123456 x", "/account/login/?… x"),
        ("Header: 'Authorization Bearer pak_0123456789abcdefghjkmnpqrstvwxyz'",
         "Header: 'Authorization Bearer …'"),
        ("Invalid HTTP_HOST header: 'PAK_0123.example'.", "Invalid HTTP_HOST header: '….example'."),
        ("Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln-bmF0_dXJl x", "Bearer … x"),
        ("to ann@example.org, bob@x.test", "to …@example.org, …@x.test"),
        ("@transaction.atomic and a question? Yes.", "@transaction.atomic and a question? Yes."),
    ],
)  # fmt: skip
def test_secrets_are_removed(text, redacted):
    assert redact(text) == redacted
    record = logging.LogRecord("x", logging.INFO, "", 0, text, None, None)
    assert TextLines().format(record).endswith(redacted)


def answered_id(settings, proxies, **headers):
    settings.TRUSTED_PROXIES = proxies
    seen = []

    def view(request):
        from web.origin import current_origin

        seen.append(current_origin().request_id)
        return HttpResponse()

    OriginMiddleware(view)(RequestFactory().get("/", **headers))
    return seen[0]


def test_request_id_comes_from_a_trusted_proxy(settings):
    given = "0123456789abcdef0123456789abcdef"
    assert answered_id(settings, ["127.0.0.1"], HTTP_X_REQUEST_ID=given) == given
    uuid = "01234567-89ab-cdef-0123-456789abcdef"
    assert answered_id(settings, ["127.0.0.1"], HTTP_X_REQUEST_ID=uuid) == given


@pytest.mark.parametrize(
    ("proxies", "given"),
    [
        ([], "0123456789abcdef"),
        (["127.0.0.1"], "short"),
        (["127.0.0.1"], "x" * 33),
        (["127.0.0.1"], "0123456789\nabcdef"),
        (["127.0.0.1"], "\u0660" * 10),
        (["127.0.0.1"], ""),
    ],
)
def test_any_other_request_gets_an_id_of_its_own(settings, proxies, given):
    ids = {answered_id(settings, proxies, HTTP_X_REQUEST_ID=given) for _ in range(2)}
    assert [len(found) for found in ids] == [32, 32]
    assert given not in ids


def test_forged_host_name_is_one_line_of_a_warning(client, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    written = io.StringIO()
    [handler] = [each for each in logging.getLogger().handlers if each.get_name() == "console"]
    assert isinstance(handler, logging.StreamHandler)
    shown = handler.setStream(written)
    try:
        answer = client.get("/healthz", headers={"host": "forged.example"})
    finally:
        handler.setStream(shown)
    assert answer.status_code == 400
    assert "WARNING django.security.DisallowedHost" in written.getvalue()
    assert "ERROR" not in written.getvalue()
    assert "Traceback" not in written.getvalue()


def test_program_that_cannot_start_says_why(monkeypatch, capsys):
    monkeypatch.setenv("LOG_FORMAT", "json")
    with pytest.raises(SystemExit) as ended:
        refuse_to_start("SECRET_KEY is not set.")
    assert ended.value.code == 1
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["problem"]) == ("config_error", "SECRET_KEY is not set.")
    monkeypatch.setenv("LOG_FORMAT", "text")
    with pytest.raises(SystemExit, match=r"^SECRET_KEY is not set\.$"):
        refuse_to_start("SECRET_KEY is not set.")

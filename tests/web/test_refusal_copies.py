"""A flood of log-ins beyond the capacity gets copies of one answer, which cost almost nothing."""

import io
from contextlib import ExitStack

import pytest
from django.conf import settings

from accounts import hashers
from web import answers, middleware, sampling
from web.answers import BusyAnswer
from web.handlers import MOST_COPIES, SiteWSGIHandler

pytestmark = pytest.mark.django_db

LOG_IN = "/account/login/"
MOST_LINES = 3


@pytest.fixture
def full():
    with ExitStack() as stack:
        for _ in range(1 + hashers.WAITING):
            stack.enter_context(hashers._admitted)
        yield stack


@pytest.fixture
def chain(monkeypatch):
    """Collect the requests that go through the middleware to the refusal."""
    seen = []

    def busy(request):
        seen.append(request)
        return original(request)

    original = answers.busy
    monkeypatch.setattr(middleware, "busy", busy)
    monkeypatch.setattr(sampling, "_sampler", sampling.Sampler(most=MOST_LINES))
    return seen


def send(handler, method="POST", path=LOG_IN, **headers):
    """Return status, headers and body, as the server gets them."""
    body, told = b"login=ann&password=wrong", []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **headers,
    }
    response = handler(environ, lambda *told_by: told.append(told_by))
    [(status, sent)] = told
    return status, sent, b"".join(response)


def test_copies_are_the_answer_of_the_whole_chain(chain, full):
    handler = SiteWSGIHandler()
    sent = [send(handler) for _ in range(100)]
    # The first makes the copy; of the others as many are logged as a minute allows.
    assert len(chain) == 1 + MOST_LINES
    assert sent == [sent[0]] * 100
    status, headers, body = sent[0]
    assert (status, dict(headers)["Retry-After"]) == ("503 Service Unavailable", "2")
    assert {"Content-Security-Policy", "Permissions-Policy", "Cache-Control"} <= dict(
        headers
    ).keys()
    assert b"not available for a moment" in body


def test_nothing_is_copied_while_there_is_capacity(chain, full):
    handler = SiteWSGIHandler()
    for _ in range(10):
        send(handler)
    full.close()
    assert send(handler, path="/livez", method="GET")[0] == "200 OK"
    assert handler._would_be_refused({"REQUEST_METHOD": "POST", "PATH_INFO": LOG_IN}) is False


@pytest.mark.parametrize(
    "other",
    [
        {"method": "GET"},
        {"path": "/account/login/mailbox/"},
        {"HTTP_COOKIE": f"{settings.LANGUAGE_COOKIE_NAME}=en"},
    ],
)
def test_other_requests_are_asked_in_the_usual_way(full, other):
    environ = {"REQUEST_METHOD": other.get("method", "POST"), "PATH_INFO": LOG_IN}
    environ |= {name.upper().replace("PATH", "PATH_INFO"): text for name, text in other.items()}
    assert SiteWSGIHandler()._would_be_refused(environ) is False


def test_copies_are_kept_for_few_languages(chain, full):
    handler = SiteWSGIHandler()
    for number in range(MOST_COPIES + 20):
        send(handler, HTTP_ACCEPT_LANGUAGE=f"x-{number}")
    assert len(handler._copies) == MOST_COPIES


def test_refused_posts_are_counted(chain, full):
    handler, counted = SiteWSGIHandler(), []
    handler._count = lambda *facts: counted.append(facts)
    for _ in range(10):
        send(handler)
    assert counted == [("unknown", BusyAnswer.status_code, 0.0)] * (10 - 1 - MOST_LINES)

"""A form without a good CSRF token: what was typed comes back, and nothing acts by itself."""

import logging
import re
from io import StringIO

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.accounts import UserFactory
from tests.factories.partners import PartnerMemberFactory
from tests.tables import tables
from web.logs import FORMATTERS
from web.typed import typed_form

pytestmark = pytest.mark.django_db
OURS = "http://testserver"
NEW = "/partner/invitations/new"
TYPED = {"label": "Autumn <fair>", "note": "For you", "form_key": "k" * 22, "expiry": "never"}


@pytest.fixture
def member():
    client = Client(enforce_csrf_checks=True)
    client.force_login(PartnerMemberFactory.create(administrator=True).user)
    return client


def send(client, typed, page=NEW, **headers):
    response = client.post(page, {"csrfmiddlewaretoken": "x" * 64, **typed}, headers=headers)
    assert response.status_code == 403
    return response.content.decode()


def hidden(page):
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


@pytest.mark.parametrize("headers", [{"Origin": OURS}, {"Referer": f"{OURS}{NEW}"}, {}])
def test_form_of_ours_is_given_back_and_can_be_sent_again(member, headers):
    before = tables()
    page = send(member, TYPED, **headers)
    assert tables() == before
    assert "Autumn &lt;fair&gt;" in page
    again = hidden(page)
    assert again.pop("csrfmiddlewaretoken") not in {"", "x" * 64}
    assert again == {**TYPED, "label": "Autumn &lt;fair&gt;"}
    token = hidden(page)["csrfmiddlewaretoken"]
    sent = member.post(NEW, {**TYPED, "csrfmiddlewaretoken": token}, headers=headers)
    assert sent.status_code in {303, 400}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "null", "Referer": f"{OURS}/"},
        {"Referer": "https://evil.example/"},
        {"Origin": f"{OURS}.evil.example"},
    ],
)
def test_form_of_another_site_is_shown_nothing_and_no_button(member, headers):
    page = send(member, TYPED, **headers)
    assert "Autumn" not in page
    assert "<form" not in page.partition("<main")[2]


def test_passwords_and_codes_never_come_back(client):
    typed = {"login": "person@example.org", "password": "a typed password", "code": "123456"}
    page = send(Client(enforce_csrf_checks=True), typed, page=reverse("account_login"))
    assert "person@example.org" in page
    assert "a typed password" not in page
    assert "123456" not in page
    assert "Send again" not in page


def test_typed_form_leaves_out_secrets_and_what_nobody_typed(rf):
    sent = {"a_b": ["1", "", "2"], "new_password": "x", "next": "/y", "csrfmiddlewaretoken": "t"}
    assert typed_form(rf.post("/", sent)) == {
        "typed": [("A b", "1"), ("A b", "2")],
        "hidden": [("a_b", "1"), ("a_b", ""), ("a_b", "2"), ("next", "/y")],
        "is_complete": False,
    }


def failing(request):
    raise RuntimeError("a mistake")


urlpatterns = []
handler500 = "web.errors.server_error"


def test_error_page_and_its_log_line_name_the_request(settings):
    from django.contrib.auth.decorators import login_not_required
    from django.urls import path

    settings.ROOT_URLCONF = __name__
    urlpatterns[:] = [path("fails", login_not_required(failing))]
    written = StringIO()
    handler, logger = logging.StreamHandler(written), logging.getLogger("django.request")
    handler.setFormatter(FORMATTERS["text"]())
    logger.addHandler(handler)
    try:
        page = Client(raise_request_exception=False).get("/fails")
    finally:
        logger.removeHandler(handler)
    assert page.status_code == 500
    number = re.search(r"<code>([0-9a-f]{32})</code>", page.content.decode())
    assert f"django.request {number[1]} Internal Server Error: /fails" in written.getvalue()


@pytest.mark.parametrize("address", ["/admin/r/1/x/", "/admin/r/x/1/", "/admin/r/1/1/"])
def test_admin_has_no_redirect_to_other_pages(client, address):
    client.force_login(UserFactory.create(staff=True))
    assert client.get(address).status_code == 404

"""A POST without a log-in did nothing, and says so at the log-in and on the page it leads to."""

import re

import pytest
from django.test import Client

from tests.factories import PASSWORD, CustomerAccountFactory, make_associated
from tests.journeys.walk import ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db
NOTHING = "You were not logged in, so nothing was done."
AGAIN = "Once you are logged in, press the button again."
LOST = "What you typed could not be kept."


def notices(response):
    """Return the texts of the page's notices."""
    found = re.findall(r'<div class="notice[^>]*>(.*?)</div>', response.content.decode(), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in found]


def log_in(client, login_page, user):
    typed = {"login": user.email, "password": PASSWORD, "next": login_page.context["next_url"]}
    return client.post("/account/login/", typed, follow=True)


@pytest.mark.parametrize(
    ("address", "typed", "page"),
    [
        ("/account/partner/ask-budget", {}, "/account/partner/"),
        ("/account/partner/end/", {"choice": "ask"}, "/account/partner/end/"),
        ("/account/partner/authorization/", {"answer": "agree"}, "/account/partner/authorization/"),
    ],
)
def test_post_without_log_in_is_explained_before_and_after_the_log_in(address, typed, page):
    client, user = Client(), make_associated().account.owner
    before = tables(without=["sessions.Session", "accounts.User"])
    login = client.post(address, typed, follow=True)
    expected = f"{NOTHING} {LOST} {AGAIN}" if typed else f"{NOTHING} {AGAIN}"
    assert notices(login) == [expected]
    after = log_in(client, login, user)
    assert after.redirect_chain[-1][0] == page
    assert expected in notices(after)
    assert expected not in notices(client.get(page))
    assert tables(without=["sessions.Session", "accounts.User"]) == before


def test_wrong_password_in_between_keeps_the_notice():
    client, user = Client(), make_associated().account.owner
    login = client.post("/account/partner/ask-budget", follow=True)
    wrong = {"login": user.email, "password": "wrong", "next": login.context["next_url"]}
    assert notices(client.post("/account/login/", wrong)) == [f"{NOTHING} {AGAIN}"]
    assert f"{NOTHING} {AGAIN}" in notices(log_in(client, login, user))


def test_step_of_the_journey_is_explained_too():
    account = CustomerAccountFactory.create(enabled=True)
    walk = walk_of(ready_attempt(account=account), signed_in=False)
    login = walk.client.post(walk.url("check/tell"), follow=True)
    assert notices(login) == [f"{NOTHING} {AGAIN}"]
    after = log_in(walk.client, login, account.owner)
    assert after.redirect_chain[-1][0] == walk.url("confirm")
    assert f"{NOTHING} {AGAIN}" in notices(after)


def test_looking_without_a_log_in_is_told_nothing():
    assert notices(Client().get("/account/partner/", follow=True)) == []


def test_form_is_given_back_also_when_its_session_is_gone():
    client, user = Client(), make_associated().account.owner
    client.force_login(user)
    user.set_password("another password of hers")
    user.save()
    response = client.post("/account/partner/end/", {"reason": "We close our office."})
    assert response.status_code == 403
    assert b"We close our office." in response.content

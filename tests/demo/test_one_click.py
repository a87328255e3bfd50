"""Logging in by one press on the tour of the demo."""

import pytest
from django.test import Client

from demo.examples import ROLES
from tests.demo_json import load
from tests.worlds import module_world

pytestmark = pytest.mark.django_db

FIRST_PAGES = {
    "admin": "/admin/",
    "partner": "/partner/",
    "manager": "/partner/",
    "waiting": "/account/partner/",
    "used_up": "/account/partner/",
    "frozen_by_partner": "/account/partner/",
    "active": "/account/partner/",
}


@module_world
def demo():
    return load()


def press(client, role):
    return client.post("/demo/log-in", {"role": role})


def test_every_role_has_a_button(client, demo):
    page = client.get("/demo/").content.decode()
    assert set(FIRST_PAGES) == set(ROLES) == {*demo["customers"], "partner", "manager", "admin"}
    assert [role for role in ROLES if f'name="role" value="{role}"' not in page] == []


@pytest.mark.parametrize("role", FIRST_PAGES)
def test_one_press_logs_in(client, demo, role):
    answer = press(client, role)
    assert answer.status_code == 303
    assert client.get(answer["Location"], follow=True).status_code == 200
    assert client.get(FIRST_PAGES[role]).status_code == 200


def test_another_press_ends_the_log_in_before(client, demo):
    press(client, "admin")
    before = client.session.session_key
    press(client, "waiting")
    assert client.session.session_key != before
    assert client.get("/admin/", follow=True).status_code == 403
    assert client.get("/account/partner/").status_code == 200


@pytest.mark.parametrize("role", ["", "nobody", "admin@demo.example", "ADMIN"])
def test_unknown_role_is_refused(client, demo, role):
    assert press(client, role).status_code == 404
    assert "_auth_user_id" not in client.session


def test_press_needs_post_and_the_token(client, demo):
    read = client.get("/demo/log-in?role=admin")
    assert (read.status_code, read["Location"]) == (303, "/demo/?role=admin")
    assert "_auth_user_id" not in client.session
    strict = Client(enforce_csrf_checks=True)
    assert press(strict, "admin").status_code == 403
    assert "_auth_user_id" not in strict.session


def test_press_is_impossible_outside_the_demo(client, demo, settings):
    settings.DEMO = False
    assert press(client, "admin").status_code == 404
    assert "_auth_user_id" not in client.session

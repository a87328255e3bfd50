"""One action per form key: repeated, changed, rejected and simultaneous submits."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from enum import StrEnum
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.http import HttpResponse
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import timezone

from config.urls import urlpatterns as site
from tests.factories import UserFactory
from web.body_limits import accept_file
from web.form_keys import answer_once, shown_form_key
from web.models import FormKey
from web.refused import Refused
from web.retention import delete_old_form_keys

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

PATH = "/notes/new"
KEY = "k" * 22
PEOPLE = 6


class Problem(StrEnum):
    TAKEN = "taken"


@accept_file(largest=1_000)
def new_note(request):
    """A form whose title makes a note; "taken" is refused, "" is rejected, "clash" is a bug."""
    title = request.POST.get("title", "")
    if not title:
        return HttpResponse(shown_form_key(request), status=400)

    def make():
        note = Group.objects.create(name=f"{title} {uuid4()}")
        if title == "slow":
            time.sleep(0.2)
        if title == "clash":
            Group.objects.create(name=note.name)
        if title == "taken":
            raise Refused(Problem.TAKEN)
        return f"/notes/{note.pk}"

    try:
        return answer_once(request, make)
    except Refused:
        return HttpResponse(status=409)


def other_form(request):
    return answer_once(request, lambda: "/other")


urlpatterns = [path("notes/new", new_note), path("other/new", other_form), *site]


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client():
    return client_of(UserFactory.create())


def send(client, title="Fair", key=KEY, **fields):
    return client.post(PATH, {"title": title, "form_key": key, **fields})


def test_same_key_and_content_get_the_first_answer(client):
    answers = [send(client) for _ in range(3)]
    note = Group.objects.get()
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (303, f"/notes/{note.pk}")
    ] * 3
    assert FormKey.objects.count() == 1


def test_order_and_csrf_token_are_not_content(client):
    first = client.post(PATH, f"title=a&tag=1&tag=2&form_key={KEY}", FORM)
    again = client.post(PATH, f"form_key={KEY}&csrfmiddlewaretoken=x&tag=1&tag=2&title=a", FORM)
    other = client.post(PATH, f"title=a&tag=2&tag=1&form_key={KEY}", FORM)
    assert first["Location"] == again["Location"]
    assert (other.status_code, Group.objects.count()) == (409, 1)


FORM = "application/x-www-form-urlencoded"


def test_other_content_is_shown_beside_the_first_answer_and_can_be_sent_again(client):
    first = send(client)["Location"]
    page = send(client, "Spring <b>", note="Two\nlines")
    text = page.content.decode()
    assert (page.status_code, Group.objects.count()) == (409, 1)
    assert f'href="{first}"' in text
    assert "Spring &lt;b&gt;" in text
    assert "Two<br>lines" in text
    assert "components/typed.html" in {template.name for template in page.templates}
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    assert fields.keys() == {"csrfmiddlewaretoken", "form_key", "title", "note"}
    assert fields["form_key"] != KEY
    for _ in range(2):
        assert send(client, "Spring <b>", fields["form_key"], note="Two\nlines").status_code == 303
    assert Group.objects.count() == 2


@pytest.mark.parametrize("name", ["password", "new_password1", "code", "Backup-Code", "token"])
def test_secrets_are_never_shown(client, name):
    send(client, **{name: "first secret"})
    page = send(client, "Spring", **{name: "second secret"})
    text = page.content.decode()
    assert page.status_code == 409
    assert "secret" not in text
    assert "Spring" in text
    assert 'name="form_key"' not in text
    assert f'href="{PATH}"' in text


def test_files_are_content(client):
    def upload(content):
        return send(client, people=SimpleUploadedFile("people.csv", content))

    first, again, other = upload(b"ann"), upload(b"ann"), upload(b"bob")
    assert first["Location"] == again["Location"]
    assert (other.status_code, Group.objects.count()) == (409, 1)
    assert "people.csv" in other.content.decode()
    assert 'name="form_key"' not in other.content.decode()


@pytest.mark.parametrize(("title", "status"), [("", 400), ("taken", 409)])
def test_rejected_form_leaves_its_key_unused(client, title, status):
    assert send(client, title).status_code == status
    assert (FormKey.objects.count(), Group.objects.count()) == (0, 0)
    assert send(client).status_code == 303
    assert Group.objects.count() == 1


def test_rejected_form_shows_its_key_again(client):
    assert send(client, "").content.decode() == KEY


def test_failure_of_the_action_is_not_taken_for_a_repeated_submit(client):
    with pytest.raises(IntegrityError):
        send(client, "clash")
    assert (FormKey.objects.count(), Group.objects.count()) == (0, 0)


@pytest.mark.parametrize("key", ["", "short", "k" * 23, "k" * 21 + "\x00", "k" * 21 + "é"])
def test_malformed_key_is_400(client, key):
    assert send(client, key=key).status_code == 400
    assert Group.objects.count() == 0


def test_key_of_another_user_does_not_matter(client):
    first = send(client)
    second = send(client_of(UserFactory.create()))
    assert first["Location"] != second["Location"]


def test_key_of_another_form_does_not_matter(client):
    send(client)
    assert client.post("/other/new", {"form_key": KEY})["Location"] == "/other"


def test_form_without_a_key_runs_its_action_every_time(client):
    for _ in range(2):
        assert client.post(PATH, {"title": "Fair"}).status_code == 303
    assert (Group.objects.count(), FormKey.objects.count()) == (2, 0)


def test_each_form_shows_a_key_of_its_own():
    request = RequestFactory().get(PATH)
    keys = {shown_form_key(request) for _ in range(3)}
    assert len(keys) == 3
    assert all(re.fullmatch(r"[\w-]{22}", key) for key in keys)


def test_tag_works_inside_an_isolated_include(settings):
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "page.html": "{% include 'form.html' only %}",
                            "form.html": "{% load form_keys %}{% form_key %}",
                        },
                    )
                ]
            },
        }
    ]
    request = RequestFactory().post(PATH, {"form_key": KEY})
    field = f'<input type="hidden" name="form_key" value="{KEY}">'
    assert render(request, "page.html").content.decode() == field


def test_keys_are_deleted_after_a_week(client):
    send(client)
    send(client, key="j" * 22)
    now = timezone.now()
    FormKey.objects.filter(key=KEY).update(created_at=now - timedelta(days=7))
    assert [delete_old_form_keys(now=now), delete_old_form_keys(now=now)] == [1, 0]
    assert FormKey.objects.get().key == "j" * 22


# The session and the user; the savepoint's two, the key, the action and its answer; or the key that
# exists already, the rollback, and its answer.
@pytest.mark.parametrize("is_repeated", [False, True])
def test_first_and_repeated_submit_take_seven_statements(
    client, django_assert_num_queries, is_repeated
):
    if is_repeated:
        send(client)
    with django_assert_num_queries(7):
        assert send(client).status_code == 303


def send_in_parallel(keys):
    """Let one user send the slow form with each key at the same moment; return the answers."""
    user = UserFactory.create()
    clients = [client_of(user) for _ in keys]
    together = threading.Barrier(len(keys))

    def one(client, key):
        try:
            together.wait(timeout=20)
            return send(client, "slow", key)["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(len(keys)) as people:
        return list(people.map(one, clients, keys))


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_simultaneous_submits_run_the_action_once():
    answers = send_in_parallel([KEY] * PEOPLE)
    assert answers == [f"/notes/{Group.objects.get().pk}"] * PEOPLE


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_simultaneous_submits_run_it_often_when_each_key_is_stored_as_another(monkeypatch):
    """The control: without the unique row every submit acts."""
    create = FormKey.objects.create

    def create_another(**fields):
        return create(**{**fields, "key": uuid4().hex[:22]})

    monkeypatch.setattr(FormKey.objects, "create", create_another)
    assert len(set(send_in_parallel([KEY] * PEOPLE))) == PEOPLE
    assert Group.objects.count() == PEOPLE

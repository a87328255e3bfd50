"""The instructions and the letter: what counts as agreeing, to which version, and what does not."""

import re

import pytest
from django.test import Client, override_settings

from association.models import Attempt, Authorization, DocumentKind
from tests.factories import InvitationFactory
from tests.journeys.walk import Walk, document, publish_next, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

AGREED = {"instructions": "on", "shown_instructions": 1}
BOXES = ("instructions", "letter_of_authorization")
CHANGED = "The documents have changed while you were reading."
NOT_AFFIRMATIVE = [
    {},
    {"instructions": ""},
    {"instructions": "false"},
    {"instructions": "0"},
    {"instructions": "off"},
    {"instructions": "no"},
    {"instructions": "\x00"},
    {"instructions": ["off", "on"]},
    {"instructions": ["on", "on"]},
    {"instructions": "on ", "letter_of_authorization": "on"},
    {"letter_of_authorization": "on"},
    {"agree": "on"},
]


def first_page(invitation):
    return f"/i/{invitation.token}/instructions"


def box(response, name):
    return re.search(rf'<input[^>]*name="{name}"[^>]*>', response.content.decode())[0]


@pytest.mark.parametrize("data", NOT_AFFIRMATIVE)
def test_anything_but_one_affirmative_value_stays_on_the_page(client, data):
    invitation = InvitationFactory.create()
    before = tables()
    response = client.post(first_page(invitation), data)
    assert response.status_code == 400
    assert "Agree to the instructions to go on." in response.content.decode()
    assert tables() == before
    assert "browser" not in response.cookies


@pytest.mark.parametrize(
    ("traits", "line"),
    [
        (
            {},
            "This invitation is for a new account. It must join within seven days of its"
            " registration.",
        ),
        (
            {"email": True},
            "An account can join in the first seven days after it was registered. What it has"
            " already keeps costing money.",
        ),
    ],
    ids=["link", "e-mail"],
)
def test_what_matters_comes_before_the_boxes_and_the_texts_are_folded(client, traits, line):
    invitation = InvitationFactory.create(**traits)
    partner = invitation.partner.name
    text = client.get(first_page(invitation)).content.decode()
    listed = text.partition("What matters for you</h2>")[2].partition("</ul>")[0]
    lines = re.findall(r"<li>(.*?)</li>", listed, re.DOTALL)
    assert [" ".join(item.split()) for item in lines] == [
        "Your account is frozen at once: it cannot buy, renew or change resources until"
        f" {partner} has set a budget and unfrozen it.",
        f"{partner} bills you for what your account uses, from the association on.",
        "When the budget is used up, your account can be frozen again.",
        line,
        "An account has one partner at a time.",
    ]
    folds = re.findall(r'<details class="card fold"\s*>', text)
    assert len(folds) == 2
    for kind in (DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION):
        assert f"<h2><bdi>{document(kind).title}</bdi></h2>" in text
    assert text.index("What matters for you") < text.index("<details") < text.index("checkbox")


@pytest.mark.parametrize("value", ["on", "true", "True", "1", "yes"])
def test_one_affirmative_value_starts_the_attempt(client, value):
    invitation = InvitationFactory.create()
    response = client.post(first_page(invitation), AGREED | {"instructions": value})
    attempt = Attempt.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/join/{attempt.pk}/account")
    assert attempt.instructions == document(DocumentKind.INSTRUCTIONS)
    assert attempt.instructions_network_address == "127.0.0.1"
    assert attempt.letter is None


def test_cookie_is_random_and_only_its_hash_is_stored(client):
    invitation = InvitationFactory.create()
    secrets = set()
    for _ in range(3):
        response = Client().post(first_page(invitation), AGREED)
        cookie = response.cookies["browser"]
        assert re.fullmatch("[0-9a-f]{32}", cookie.value)
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert cookie["domain"] == ""
        secrets.add(cookie.value)
    assert len(secrets) == 3
    rows = str(tables())
    assert not any(secret in rows for secret in secrets)


@pytest.mark.parametrize("planted", ["", "x", "0" * 31, "g" * 32, "A" * 32, "0" * 33])
def test_cookie_that_we_could_not_have_made_is_replaced(client, planted):
    client.cookies["browser"] = planted
    response = client.post(first_page(InvitationFactory.create()), AGREED)
    assert re.fullmatch("[0-9a-f]{32}", response.cookies["browser"].value)


def test_a_second_tab_is_a_second_attempt_of_the_same_browser(client):
    invitation = InvitationFactory.create()
    client.post(first_page(invitation), AGREED)
    client.post(first_page(invitation), AGREED)
    assert Attempt.objects.count() == 2
    assert len(set(Attempt.objects.values_list("browser_hash", flat=True))) == 1


@pytest.mark.parametrize("language", ["en", "de"])
@override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")])
def test_no_box_is_ticked_on_first_load(client, language):
    response = client.get(f"{first_page(InvitationFactory.create())}?lang={language}")
    for name in BOXES:
        assert "checked" not in box(response, name)
        assert 'type="checkbox"' in box(response, name)
        assert len(re.findall(rf'name="{name}"', response.content.decode())) == 1
    assert "required" in box(response, "instructions")
    assert "required" not in box(response, "letter_of_authorization")


def test_both_documents_are_on_the_page_and_can_be_read_alone(client):
    text = client.get(first_page(InvitationFactory.create())).content.decode()
    for kind in (DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION):
        assert document(kind).title in text
        response = client.get(f"/documents/{kind.value}/")
        assert response.status_code == 200
        assert document(kind).title in response.content.decode()
    assert client.get("/documents/nothing/").status_code == 404


def test_referral_has_no_instructions_and_posting_them_is_harmless(client):
    invitation = InvitationFactory.create(referral=True)
    before = tables()
    for answer in (client.get(first_page(invitation)), client.post(first_page(invitation), AGREED)):
        assert (answer.status_code, answer["Location"]) == (303, f"/i/{invitation.token}/account")
    assert tables() == before
    walk = Walk(invitation, client)
    walk.begin()
    assert walk.post("instructions", **AGREED)["Location"] == walk.url()
    assert walk.attempt.instructions is None


def test_letter_is_stored_separately_and_the_latest_choice_counts():
    walk = Walk(InvitationFactory.create())
    walk.begin(letter=True)
    first = walk.attempt
    assert first.letter == document(DocumentKind.LETTER_OF_AUTHORIZATION)
    assert "checked" in box(walk.get("instructions"), "letter_of_authorization")
    walk.post("instructions", **AGREED)
    assert (walk.attempt.letter, walk.attempt.letter_network_address) == (None, None)
    assert walk.attempt.instructions_agreed_at > first.instructions_agreed_at
    walk.post("instructions", letter_of_authorization="on", **AGREED)
    assert walk.attempt.letter == first.letter
    assert Attempt.objects.count() == 1


@pytest.mark.parametrize("letter", [False, True])
def test_association_succeeds_with_and_without_the_letter(letter):
    walk = walk_of(ready_attempt(letter=letter))
    ticks = {"letter_of_authorization": "on"} if letter else {}
    shown = document(DocumentKind.LETTER_OF_AUTHORIZATION).version
    response = walk.post("confirm", shown_letter=shown, **ticks)
    assert response["Location"] == walk.url("done")
    assert Authorization.objects.count() == int(letter)
    assert walk.attempt.consents.count() == 1 + letter


def test_newer_version_undoes_the_step():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    assert walk.get()["Location"] == walk.url("account")
    newer = publish_next(DocumentKind.INSTRUCTIONS)
    assert walk.get()["Location"] == walk.url("instructions")
    for step in ("account", "register", "enable", "confirm"):
        response = walk.get(step)
        assert (response.status_code, response["Location"]) == (303, walk.url("instructions"))
    walk.post("instructions", instructions="on")
    assert walk.attempt.instructions == newer
    assert walk.get()["Location"] == walk.url("account")


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (DocumentKind.INSTRUCTIONS, "shown_instructions"),
        (DocumentKind.LETTER_OF_AUTHORIZATION, "shown_letter"),
    ],
)
def test_form_that_showed_an_older_version_is_refused(client, kind, field):
    invitation = InvitationFactory.create()
    old = document(kind).version
    publish_next(kind)
    before = tables()
    response = client.post(first_page(invitation), AGREED | {field: old})
    assert response.status_code == 400
    assert CHANGED in response.content.decode()
    assert tables() == before


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        ({"instructions": "on"}, "shown_instructions"),
        (AGREED | {"letter_of_authorization": "on"}, "shown_letter"),
    ],
)
def test_form_without_the_version_that_was_shown_is_shown_again_with_what_was_ticked(
    client, sent, missing
):
    invitation = InvitationFactory.create()
    before = tables()
    response = client.post(first_page(invitation), sent)
    assert response.status_code == 400
    assert "We cannot tell what this page showed you." in response.content.decode()
    assert f'name="{missing}" value="1"' in response.content.decode()
    assert tables() == before
    ticks = {name: "checked" in box(response, name) for name in BOXES}
    assert ticks == {name: name in sent for name in BOXES}
    assert client.post(first_page(invitation), sent | {missing: 1}).status_code == 303


@pytest.mark.parametrize("shown", ["x", "-1", "9" * 30, "1.5"])
def test_tampered_version_is_a_form_error(client, shown):
    data = AGREED | {"shown_instructions": shown}
    assert client.post(first_page(InvitationFactory.create()), data).status_code == 400
    assert Attempt.objects.count() == 0


def test_attempt_keeps_the_language_that_was_chosen_on_the_way():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    with override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")]):
        walk.client.get(f"{walk.url('instructions')}?lang=de")
        assert walk.attempt.language == "en"
        walk.client.post(f"{walk.url('instructions')}?lang=de", AGREED)
        assert walk.attempt.language == "de"

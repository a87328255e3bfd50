"""A consent is given by its own account: what was ticked on the way, by whom, and what counts."""

import re

import pytest
from django.conf import settings

from association.models import Association, Consent, DocumentKind
from association.services.attempts import agree_to_instructions
from association.services.invariants.checking import find_violations
from tests.factories import CustomerAccountFactory, InvitationFactory, PartnerMemberFactory
from tests.factories import agreed_to as agreed
from tests.journeys.walk import Walk, document, invite, publish_next, ready_attempt, walk_of
from tests.tables import tables
from web.refused import Refused

pytestmark = pytest.mark.django_db

INSTRUCTIONS, LETTER = DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION
BUTTON = {True: "Associate", False: "Enable and Associate"}
CLICKED_FROM = "203.0.113.5"


def is_ticked(response, name):
    return "checked" in re.search(rf'<input[^>]*name="{name}"[^>]*>', text_of(response))[0]


def text_of(response):
    return response.content.decode()


def words_of(response):
    """The page's words, without markup."""
    return " ".join(re.sub(r"<[^>]+>", "", text_of(response)).split())


def log_out(walk):
    """Log out elsewhere; the cookie that marks the browser stays."""
    walk.client.cookies.pop(settings.SESSION_COOKIE_NAME)


def last_click(walk, step, **data):
    """Press the last page's button, with the hidden fields that the page has."""
    shown = re.findall(r'name="(shown_\w+)" value="(\d+)"', text_of(walk.get(step)))
    data = dict(shown) | {"country": "DE", "agreement": "on"} | data
    return walk.client.post(walk.url(step), data, REMOTE_ADDR=CLICKED_FROM)


def evidence(kind):
    """Whose consent it is, its moment and its address."""
    consent = Consent.objects.get(document__kind=kind)
    return (consent.account, consent.agreed_at, consent.network_address)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_last_button_agrees_for_an_account_that_logs_in(enabled):
    account = CustomerAccountFactory.create(enabled=enabled)
    walk = Walk(invite(account))
    walk.begin(letter=True)
    walk.log_in(account.owner)
    assert (walk.attempt.instructions, walk.attempt.letter) == (None, None)
    step = "confirm" if enabled else "enable"
    assert walk.get()["Location"] == walk.url(step)
    page = walk.get(step)
    version = document(INSTRUCTIONS).version
    sentence = (
        f"With “{BUTTON[enabled]}” you agree to the Instructions for Associating "
        f"(version {version}) for this account."
    )
    assert sentence in words_of(page)
    assert f"Letter of Authorization (version {document(LETTER).version})" in text_of(page)
    assert not is_ticked(page, "letter_of_authorization")
    assert last_click(walk, step)["Location"] == walk.url("done")
    joined_at = Association.objects.get().associated_at
    assert evidence(INSTRUCTIONS) == (account, joined_at, CLICKED_FROM)
    assert Consent.objects.get(document__kind=INSTRUCTIONS).label == sentence
    assert not Consent.objects.filter(document__kind=LETTER).exists()
    assert list(find_violations()) == []


def test_an_account_registered_on_the_way_inherits_the_ticks():
    walk = Walk(InvitationFactory.create())
    walk.begin(letter=True)
    ticked = walk.attempt
    walk.register()
    page = walk.get("enable")
    assert "you agree to the" not in words_of(page)
    assert is_ticked(page, "letter_of_authorization")
    last_click(walk, "enable", letter_of_authorization="on")
    account = walk.attempt.account
    for kind in (INSTRUCTIONS, LETTER):
        assert evidence(kind) == (account, ticked.instructions_agreed_at, "127.0.0.1")


@pytest.mark.parametrize("who", ["customer", "partner"])
@pytest.mark.parametrize("leaves", ["switch", "logout"])
def test_ticks_of_someone_who_was_signed_in_are_not_inherited(who, leaves):
    """A partner's phone that is handed to a customer."""
    is_customer = who == "customer"
    user = CustomerAccountFactory if is_customer else PartnerMemberFactory
    row = user.create()
    walk = Walk(InvitationFactory.create())
    walk.client.force_login(row.owner if is_customer else row.user)
    walk.begin(letter=True)
    if leaves == "switch":
        walk.post("account", choice="switch")
    else:
        log_out(walk)
    walk.register()
    page = walk.get("enable")
    assert "you agree to the Instructions for Associating" in words_of(page)
    assert not is_ticked(page, "letter_of_authorization")
    last_click(walk, "enable")
    assert evidence(INSTRUCTIONS)[1:] == (Association.objects.get().associated_at, CLICKED_FROM)
    assert not Consent.objects.filter(document__kind=LETTER).exists()


def test_switching_accounts_removes_the_ticks_and_does_not_show_the_instructions_again():
    first, second = CustomerAccountFactory.create_batch(2, enabled=True)
    invitation = InvitationFactory.create(email=True, is_bound=False)
    walk = Walk(invitation)
    walk.client.force_login(first.owner)
    walk.begin(letter=True)
    walk.post("account", choice="continue", account=first.pk)
    assert is_ticked(walk.get("confirm"), "letter_of_authorization")
    response = walk.post("switch")
    walk.attempt_id = type(walk.attempt_id)(response["Location"].split("/")[2])
    assert walk.get()["Location"] == walk.url("account")
    walk.log_in(second.owner)
    page = walk.get("confirm")
    assert page.status_code == 200
    assert not is_ticked(page, "letter_of_authorization")
    last_click(walk, "confirm")
    assert evidence(INSTRUCTIONS)[0] == second
    assert not Consent.objects.filter(document__kind=LETTER).exists()
    assert list(find_violations()) == []


def test_account_registered_after_a_switch_agrees_with_the_button():
    existing = CustomerAccountFactory.create(enabled=True)
    walk = walk_of(ready_attempt(account=existing, invitation=InvitationFactory.create()))
    response = walk.post("switch")
    walk.attempt_id = type(walk.attempt_id)(response["Location"].split("/")[2])
    walk.register()
    assert walk.get()["Location"] == walk.url("enable")
    assert "you agree to the Instructions for Associating" in words_of(walk.get("enable"))
    last_click(walk, "enable")
    assert evidence(INSTRUCTIONS)[1] == Association.objects.get().associated_at


def test_letter_that_the_account_ticked_while_signed_in_stays_ticked():
    walk = walk_of(ready_attempt(letter=True))
    assert is_ticked(walk.get("confirm"), "letter_of_authorization")
    last_click(walk, "confirm", letter_of_authorization="on")
    account, joined_at = walk.attempt.account, Association.objects.get().associated_at
    assert evidence(LETTER) == (account, joined_at, CLICKED_FROM)


def test_instructions_page_shows_no_ticked_letter_of_another_person():
    account = CustomerAccountFactory.create()
    walk = Walk(InvitationFactory.create())
    walk.client.force_login(account.owner)
    walk.begin(letter=True)
    assert is_ticked(walk.get("instructions"), "letter_of_authorization")
    log_out(walk)
    assert not is_ticked(walk.get("instructions"), "letter_of_authorization")


@pytest.mark.parametrize("enabled", [True, False])
def test_post_that_named_an_older_version_is_refused_and_the_page_names_the_new_one(enabled):
    account = CustomerAccountFactory.create(enabled=enabled)
    walk, step = walk_of(ready_attempt(account=account)), "confirm" if enabled else "enable"
    old = document(INSTRUCTIONS).version
    publish_next(INSTRUCTIONS)
    before = tables()
    typed = {"country": "FR", "agreement": "on", "letter_of_authorization": "on"}
    response = walk.post(step, shown_instructions=old, **typed)
    assert response.status_code == 409
    assert "The documents have changed while you were reading." in text_of(response)
    assert f"Instructions for Associating (version {old + 1})" in text_of(response)
    assert f'name="shown_instructions" value="{old + 1}"' in text_of(response)
    assert is_ticked(response, "letter_of_authorization")
    assert tables() == before
    assert walk.post(step, shown_instructions=old + 1, **typed)["Location"] == walk.url("done")
    assert Consent.objects.get(document__kind=INSTRUCTIONS).document == document(INSTRUCTIONS)


@pytest.mark.parametrize("enabled", [True, False])
def test_button_that_agrees_without_a_shown_version_writes_nothing(enabled):
    account = CustomerAccountFactory.create(enabled=enabled)
    walk, step = walk_of(ready_attempt(account=account)), "confirm" if enabled else "enable"
    typed = {"country": "FR", "agreement": "on", "letter_of_authorization": "on"}
    before = tables()
    response = walk.client.post(walk.url(step), typed)
    assert response.status_code == 400
    assert "We cannot tell what this page showed you." in text_of(response)
    assert is_ticked(response, "letter_of_authorization")
    assert tables() == before
    shown = dict(re.findall(r'name="(shown_\w+)" value="(\d+)"', text_of(response)))
    assert walk.client.post(walk.url(step), typed | shown)["Location"] == walk.url("done")


@pytest.mark.parametrize(
    ("kind", "field", "box"),
    [
        (LETTER, "shown_letter", "letter_of_authorization"),
        (DocumentKind.CUSTOMER_AGREEMENT, "shown_customer_agreement", "agreement"),
        (DocumentKind.PRIVACY_STATEMENT, "shown_privacy_statement", "agreement"),
    ],
)
def test_box_of_a_document_that_has_changed_must_be_ticked_again(kind, field, box):
    walk = walk_of(ready_attempt(account=CustomerAccountFactory.create(), registered=True))
    old = document(kind).version
    publish_next(kind)
    typed = {"country": "FR", "agreement": "on", "letter_of_authorization": "on"}
    response = walk.post("enable", **typed, **{field: old})
    assert response.status_code == 409
    assert f'name="{field}" value="{old + 1}"' in text_of(response)
    ticked = {name: is_ticked(response, name) for name in ("agreement", "letter_of_authorization")}
    assert ticked == {name: name != box for name in ticked}
    assert 'value="FR" selected' in text_of(response)
    assert walk.post("enable", **typed, **{field: old + 1})["Location"] == walk.url("done")


def test_first_page_names_the_new_version_after_a_change(client):
    invitation = InvitationFactory.create()
    old = document(INSTRUCTIONS).version
    publish_next(INSTRUCTIONS)
    url = f"/i/{invitation.token}/instructions"
    response = client.post(url, {"instructions": "on", "shown_instructions": old})
    assert response.status_code == 400
    assert f'name="shown_instructions" value="{old + 1}"' in text_of(response)
    assert not is_ticked(response, "instructions")
    answer = client.post(url, {"instructions": "on", "shown_instructions": old + 1})
    assert answer.status_code == 303


def test_tick_of_a_tab_without_log_in_does_not_reach_an_account_that_entered_meanwhile():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    other_tab = walk.attempt
    account = CustomerAccountFactory.create()
    walk.log_in(account.owner)
    with pytest.raises(Refused, match="other_account"):
        agree_to_instructions(
            attempt=other_tab,
            instructions=agreed(INSTRUCTIONS),
            letter=agreed(LETTER),
            address=None,
            by=None,
            now=other_tab.started_at,
        )
    assert walk.attempt.letter is None


def test_ticks_from_before_it_was_known_who_ticked_are_asked_for_again():
    """An attempt that the version before this one has entered with another person's ticks."""
    walk = walk_of(ready_attempt(letter=True))
    type(walk.attempt).objects.update(agreed_by=None)
    page = walk.get("confirm")
    assert "you agree to the Instructions for Associating" in words_of(page)
    assert not is_ticked(page, "letter_of_authorization")
    walk.post("confirm")
    assert not Consent.objects.filter(document__kind=LETTER).exists()
    assert evidence(INSTRUCTIONS)[1] == Association.objects.get().associated_at

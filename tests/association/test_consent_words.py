"""What a consent proves: the text's hash, the label and the language; and how to check it."""

import hashlib
import re

import pytest
from django.test import override_settings

from association.enums import AuthorizationAnswer
from association.models import Attempt, Consent, DocumentKind
from tests.factories import CustomerAccountFactory, InvitationFactory, make_associated
from tests.journeys.walk import Walk, document, ready_attempt, walk_of

pytestmark = pytest.mark.django_db

INSTRUCTIONS, LETTER = DocumentKind.INSTRUCTIONS, DocumentKind.LETTER_OF_AUTHORIZATION
GERMAN = override_settings(LANGUAGES=[("en", "English"), ("de", "Deutsch")])


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def joined():
    """A browser that has registered, ticked both documents, enabled and associated."""
    walk = Walk(InvitationFactory.create())
    walk.begin(letter=True)
    walk.register()
    walk.enable(letter_of_authorization="on")
    return walk


def test_every_consent_has_the_hash_of_its_text_its_label_and_its_language(joined):
    names = {kind: f"{kind.label} (version 1)" for kind in DocumentKind}
    agreement = (
        f"I have read and agree to the {names[DocumentKind.CUSTOMER_AGREEMENT]} "
        f"and the {names[DocumentKind.PRIVACY_STATEMENT]}"
    )
    labels = {
        INSTRUCTIONS: f"I have read and agree to the {names[INSTRUCTIONS]}",
        LETTER: f"I have read and agree to the {names[LETTER]}",
        DocumentKind.CUSTOMER_AGREEMENT: agreement,
        DocumentKind.PRIVACY_STATEMENT: agreement,
    }
    stored = {
        consent.document.kind: (consent.text_sha256, consent.label, consent.language)
        for consent in joined.attempt.consents.select_related("document")
    }
    assert stored == {
        kind: (sha256(document(kind).text().encode()), labels[kind], "en") for kind in DocumentKind
    }


def test_label_is_what_the_page_shows(client):
    page = client.get(f"/i/{InvitationFactory.create().token}/instructions").content.decode()
    labels = re.findall(r"<label[^>]*>(.*?)</label>", page, re.DOTALL)
    shown = [" ".join(re.sub(r"<[^>]+>", "", label).split()) for label in labels]
    assert shown == [
        "I have read and agree to the Instructions for Associating (version 1)",
        "I have read and agree to the Letter of Authorization (version 1) (optional)",
    ]


@GERMAN
def test_language_is_the_pages_and_the_text_may_be_in_english(client):
    token = InvitationFactory.create().token
    client.post(f"/i/{token}/instructions?lang=de", {"instructions": "on", "shown_instructions": 1})
    attempt = Attempt.objects.get()
    assert attempt.instructions.language == "en"
    assert attempt.instructions_words["language"] == "de"


def test_text_of_a_receipt_has_the_stored_hash_also_when_the_provider_is_renamed(joined, settings):
    consents = list(joined.attempt.consents.order_by("pk"))
    assert len(consents) == 4
    settings.PROVIDER_NAME = "Renamed & Sons"
    for consent in consents:
        page = f"/account/consents/{consent.pk}/"
        response = joined.client.get(f"{page}text")
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert sha256(response.content) == consent.text_sha256
        kind = consent.document.kind
        assert response["Content-Disposition"] == f'attachment; filename="{kind}-1-en.txt"'
        text = joined.client.get(page).content.decode()
        assert "as it is called today" not in text
        assert consent.text_sha256 in text
        assert f"sha256sum {kind}-1-en.txt" in text
        assert f'href="{page}text"' in text
        assert "Example Cloud" in response.content.decode()
        assert "Renamed" not in response.content.decode()


def test_hash_depends_on_every_character():
    consent = make_associated().attempt.consents.get()
    body = consent.document.body
    consent.document.body = body.replace("account", "acount", 1)
    assert sha256(consent.text.encode()) != consent.text_sha256
    consent.document.body = body
    assert sha256(consent.text.encode()) == consent.text_sha256


@pytest.mark.parametrize("page", ["done", "my_partner"])
def test_receipts_show_the_hash_and_where_it_is_checked(joined, page):
    address = joined.url("done") if page == "done" else "/account/partner/"
    text = joined.client.get(address).content.decode()
    for consent in joined.attempt.consents.all():
        assert consent.text_sha256 in text
    assert "The hash proves which text it was." in text


def test_text_of_another_accounts_consent_is_a_404(client):
    consent = make_associated().attempt.consents.get()
    url = f"/account/consents/{consent.pk}/text"
    assert client.get(url).status_code == 302
    client.force_login(CustomerAccountFactory.create().owner)
    assert client.get(url).status_code == 404


def test_consent_from_before_the_hash_was_stored_shows_its_text_and_no_proof(client):
    attempt = ready_attempt()
    consent = Consent.objects.create(
        account=attempt.account, document=document(INSTRUCTIONS), agreed_at=attempt.started_at
    )
    client.force_login(attempt.account.owner)
    text = client.get(f"/account/consents/{consent.pk}/").content.decode()
    assert "SHA-256" not in text
    assert "The text below names the provider as it is called today: Example Cloud." in text


def test_letter_agreed_to_under_my_partner_is_proven_too(client):
    association = make_associated()
    client.force_login(association.account.owner)
    client.post("/account/partner/authorization/", {"action": "agree", "shown_letter": 1})
    consent = Consent.objects.get(document__kind=LETTER)
    assert consent.label == str(AuthorizationAnswer.AGREE.label)
    assert (consent.text_sha256, consent.language) == (
        sha256(document(LETTER).text().encode()),
        "en",
    )


def test_tick_from_before_its_words_were_stored_still_becomes_a_consent():
    walk = walk_of(ready_attempt(registered=True))
    Attempt.objects.update(instructions_words=None)
    walk.post("confirm")
    assert Consent.objects.get(document__kind=INSTRUCTIONS).text_sha256 == ""


# What a person reads in the Privacy Statement for each column of a consent.
TOLD = {
    "document": "names the document, its version",
    "agreed_at": "the moment",
    "network_address": "the network address",
    "text_sha256": "the SHA-256 hash of the text",
    "provider_name": "the name of {provider} in the text",
    "label": "the words of the box or button with which you agreed",
    "language": "the language of the page",
}
# Keys that say to whom the consent belongs.
OWN_KEYS = {"id", "account", "attempt"}


def test_privacy_statement_says_all_that_a_consent_keeps():
    columns = {column.name for column in Consent._meta.concrete_fields}
    assert columns == TOLD.keys() | OWN_KEYS
    paragraphs = document(DocumentKind.PRIVACY_STATEMENT).body.split("\n")
    [about] = [text for text in paragraphs if text.startswith("Every consent")]
    assert [words for words in TOLD.values() if words not in about] == []
    letter = document(LETTER).body
    assert "the SHA-256 hash of the text" in letter

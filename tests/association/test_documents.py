"""Which version of a document is in force, and how its text is shown."""

import pytest
from django.utils import timezone

from association.models import DocumentKind, LegalDocument
from association.services.documents import current_documents, load_versions
from association.templatetags.documents import document_body
from tests.factories import LegalDocumentFactory
from tests.journeys.walk import document, publish_next

pytestmark = pytest.mark.django_db

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION


def translated(original):
    return LegalDocument.objects.create(
        kind=original.kind,
        language="de",
        version=original.version,
        title="Vollmacht",
        body="Text.",
        published_at=timezone.now(),
    )


def test_a_translation_is_in_force_with_its_original():
    german, english = translated(document(LETTER)), document(LETTER)
    versions = load_versions()
    assert [versions.is_in_force(found.pk) for found in (german, english)] == [True, True]
    assert versions.document_id(LETTER, "de") == german.pk
    assert versions.document_id(LETTER, "fr") == english.pk


def test_a_translation_that_has_not_caught_up_is_passed_over():
    german = translated(document(LETTER))
    newer = publish_next(LETTER)
    versions = load_versions()
    assert versions.in_force[LETTER] == newer.version == german.version + 1
    assert not versions.is_in_force(german.pk)
    assert current_documents([LETTER], "de") == {LETTER: newer}


def test_a_draft_and_no_document_are_not_in_force():
    draft = LegalDocumentFactory.create(kind=LETTER, draft=True)
    versions = load_versions()
    assert not versions.is_in_force(draft.pk)
    assert not versions.is_in_force(None)


def test_a_changed_text_is_rendered_again(settings):
    shown = LegalDocument(body="{provider} *agrees*.")
    assert document_body(shown) == f"<p>{settings.PROVIDER_NAME} <em>agrees</em>.</p>\n"
    settings.PROVIDER_NAME = "Other Cloud"
    assert document_body(shown) == "<p>Other Cloud <em>agrees</em>.</p>\n"
    shown.body = "Another text."
    assert document_body(shown) == "<p>Another text.</p>\n"

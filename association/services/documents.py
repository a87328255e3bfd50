"""Legal documents: which versions are in force, publishing one, and those that we ship."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from association.enums import DocumentKind, DocumentRefusal
from association.models import LegalDocument
from audit.services import record_audit_event
from web.fixed_queries import fixed_query
from web.locks import database_now, lock_name
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

FALLBACK_LANGUAGE = "en"
# The lock that `associate()` shares and a publication has alone.
PUBLISHING = "association.publishing"
Documents = Mapping[DocumentKind, LegalDocument]
# The fields of a consent that say to which words it was given.
WORDS = ("text_sha256", "provider_name", "label", "language")
SHIPPED_DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"


@dataclass(frozen=True, slots=True)
class Versions:
    """The version of each document in force, and the key of its text in each language."""

    in_force: Mapping[DocumentKind, int]
    document_ids: Mapping[tuple[DocumentKind, str], int]

    def is_in_force(self, document_id: int | None) -> bool:
        """Whether this document is in force, in any language."""
        return document_id in self.document_ids.values()

    def document_id(self, kind: DocumentKind, language: str) -> int:
        """Return the key of the document in force, in this language or else in English."""
        english = self.document_ids[kind, FALLBACK_LANGUAGE]
        return self.document_ids.get((kind, language), english)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A document that a page showed, with the label that was ticked, and the page's language."""

    document: LegalDocument
    label: str
    language: str

    def words(self) -> dict[str, str]:
        """Return the values of WORDS."""
        values = (self.document.text_sha256(), settings.PROVIDER_NAME, self.label, self.language)
        return dict(zip(WORDS, values, strict=True))


def load_versions() -> Versions:
    """Read the versions of all published documents, without their texts.

    A version is in force from its publication in English. Older translations are left out.
    """
    rows = [
        (pk, DocumentKind(kind), language, version)
        for pk, kind, language, version in _published_versions.all()
    ]
    in_force = {
        kind: version for _, kind, language, version in rows if language == FALLBACK_LANGUAGE
    }
    document_ids = {
        (kind, language): pk
        for pk, kind, language, version in rows
        if in_force.get(kind) == version
    }
    return Versions(in_force, document_ids)


@fixed_query()
def _published_versions() -> QuerySet[Any, tuple[Any, ...]]:
    published = LegalDocument.objects.published().order_by("version")
    return published.values_list("pk", "kind", "language", "version")


def current_documents(
    kinds: Collection[DocumentKind], language: str, versions: Versions | None = None
) -> Documents:
    """Return the version in force of each kind, in `language` or else in English.

    `versions` are those that the caller has read already.
    """
    versions = versions or load_versions()
    ids = {kind: versions.document_id(kind, language) for kind in kinds}
    found = LegalDocument.objects.in_bulk(ids.values())
    return {kind: found[pk] for kind, pk in ids.items()}


@whole_transaction
def publish_document(
    *,
    document: LegalDocument,
    by: User | None,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> LegalDocument:
    """Put a draft in force; from then on it cannot be changed.

    Open attempts must agree to new instructions again. It waits for associations that are being
    made, and later ones wait for its commit: each was agreed to by the version in force at its
    moment. So `published_at` is by the database's clock, too; `now` is that of the action. Raises
    Refused when it is published already, and ChangedMeanwhile if the version is not that of
    `shown_draft()`.
    """
    with transaction.atomic():
        locked = LegalDocument.objects.select_for_update().get(pk=document.pk)
        if locked.published_at is not None:
            raise Refused(DocumentRefusal.ALREADY_PUBLISHED)
        check_shown(shown_version, shown_draft(locked))
        lock_name(PUBLISHING)
        locked.published_at = database_now()
        locked.save(update_fields=["published_at"])
        record_audit_event(
            action="document.published",
            about=locked,
            by=by,
            now=now,
            before={"published_at": None},
            after={"published_at": locked.published_at},
        )
    return locked


def shown_draft(document: LegalDocument) -> dict[str, Any]:
    """Return what a page is about that publishes the document."""
    terms = (document.kind, document.language, document.version, document.title, document.body)
    return {f"document-{document.pk}": terms}


def load_shipped_documents(*, published_at: datetime | None = None, **_signal: object) -> None:
    """Publish version 1 of the documents that ship with the product, where there is none yet."""
    known = set(LegalDocument.objects.filter(version=1).values_list("kind", "language"))
    missing = []
    for file in sorted(SHIPPED_DOCUMENTS.glob("*/*.md")):
        kind, language = DocumentKind(file.stem), file.parent.name
        if (kind.value, language) not in known:
            title, _, body = file.read_text(encoding="utf-8").partition("\n")
            missing.append(
                LegalDocument(
                    kind=kind,
                    language=language,
                    version=1,
                    title=title.removeprefix("# ").strip(),
                    body=body.strip(),
                    published_at=published_at or timezone.now(),
                )
            )
    LegalDocument.objects.bulk_create(missing, ignore_conflicts=True)

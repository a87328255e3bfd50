"""Legal documents: which version is in force, publishing one, and the first that we ship."""

from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from accounts.models import User
from association.models import DocumentKind, LegalDocument
from audit.services import record_audit_event

FALLBACK_LANGUAGE = "en"
Documents = Mapping[DocumentKind, LegalDocument]
SHIPPED_DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"


class AlreadyPublished(Exception):
    """A published document is never published again, nor changed."""

    code = "already_published"


def current_documents(kinds: Collection[DocumentKind], language: str) -> Documents:
    """Return the version in force of each kind, in `language` or else in English; one statement.

    A new version is in force from its publication in English. A translation that has not caught
    up is passed over: nobody is shown words that are no longer meant.
    """
    rows = LegalDocument.objects.published().filter(
        kind__in=kinds, language__in={language, FALLBACK_LANGUAGE}
    )
    english = {}
    wanted = {}
    for document in rows.order_by("version"):
        if document.language == FALLBACK_LANGUAGE:
            english[DocumentKind(document.kind)] = document
        if document.language == language:
            wanted[document.kind, document.version] = document
    return {
        kind: wanted.get((document.kind, document.version), document)
        for kind, document in english.items()
    }


def is_in_force(agreed: LegalDocument | None, current: LegalDocument) -> bool:
    """Return whether what was agreed to is the version in force, in whatever language."""
    return agreed is not None and agreed.version == current.version


def newest_version(kind: DocumentKind) -> QuerySet[LegalDocument, Any]:
    """Return a subquery for the version number in force of one kind."""
    return (
        LegalDocument.objects.published()
        .filter(kind=kind, language=FALLBACK_LANGUAGE)
        .order_by()
        .values("kind")
        .annotate(newest=Max("version"))
        .values("newest")
    )


def publish_document(*, document: LegalDocument, by: User | None, now: datetime) -> LegalDocument:
    """Put a draft in force from `now`; from then on it cannot be changed.

    Open attempts that agreed to an older version of the instructions have that step undone.
    Raises AlreadyPublished.
    """
    with transaction.atomic():
        locked = LegalDocument.objects.select_for_update().get(pk=document.pk)
        if locked.published_at is not None:
            raise AlreadyPublished
        locked.published_at = now
        locked.save(update_fields=["published_at"])
        record_audit_event(
            action="document.published",
            about=locked,
            by=by,
            now=now,
            before={"published_at": None},
            after={"published_at": now},
        )
    return locked


def load_shipped_documents(**_signal: object) -> None:
    """Publish version 1 of the documents that ship with the product, where there is none yet."""
    known = set(LegalDocument.objects.filter(version=1).values_list("kind", "language"))
    missing = []
    for file in sorted(SHIPPED_DOCUMENTS.glob("*/*.md")):
        kind, language = DocumentKind(file.stem), file.parent.name
        if (kind.value, language) in known:
            continue
        title, _, body = file.read_text(encoding="utf-8").partition("\n")
        missing.append(
            LegalDocument(
                kind=kind,
                language=language,
                version=1,
                title=title.removeprefix("# ").strip(),
                body=body.strip(),
                published_at=timezone.now(),
            )
        )
    LegalDocument.objects.bulk_create(missing, ignore_conflicts=True)

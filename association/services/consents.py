"""What is ticked in an attempt, what the last page agrees to, and the consents made of both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User
from association.enums import DocumentKind, JourneyRefusal
from association.models import Attempt, Consent
from association.services.documents import WORDS, Agreed, Versions
from web.refused import Refused

AGREEMENT = (DocumentKind.CUSTOMER_AGREEMENT, DocumentKind.PRIVACY_STATEMENT)
# What an attempt stores of each of the two documents that are ticked before the last page.
_TICKED = ("instructions", "letter")
_PARTS = ("id", "agreed_at", "network_address", "words")
AGREED_FIELDS = ("agreed_by_id", *(f"{name}_{part}" for name in _TICKED for part in _PARTS))


@dataclass(frozen=True, slots=True)
class Enabling:
    """What enables services: the country, and the documents of AGREEMENT."""

    country: str
    agreed: Mapping[DocumentKind, Agreed]


@dataclass(frozen=True, slots=True)
class LetterChoice:
    """The letter that was ticked on the last page, or None."""

    agreed: Agreed | None


@dataclass(frozen=True, slots=True)
class LastPage:
    """What the last page asked for and was submitted with, and from which network address.

    `instructions`: its button agrees to them. Without `letter` there was no box for it.
    """

    address: str | None
    enabling: Enabling | None = None
    letter: LetterChoice | None = None
    instructions: Agreed | None = None

    def agreed(self) -> list[Agreed]:
        """Return every document that was agreed to."""
        agreed = list(self.enabling.agreed.values()) if self.enabling else []
        if self.letter is not None and self.letter.agreed is not None:
            agreed.append(self.letter.agreed)
        return agreed if self.instructions is None else [*agreed, self.instructions]


def tick_instructions(
    *, attempt: Attempt, instructions: Agreed, address: str | None, now: datetime
) -> None:
    """Set the agreement to the instructions on the attempt, without saving it."""
    _tick(attempt, "instructions", instructions, address, now)


def tick_letter(
    *, attempt: Attempt, letter: Agreed | None, address: str | None, now: datetime
) -> None:
    """Set the choice about the letter on the attempt, without saving it."""
    _tick(attempt, "letter", letter, address, now)


def _tick(
    attempt: Attempt, name: str, agreed: Agreed | None, address: str | None, now: datetime
) -> None:
    values = (agreed.document.pk, now, address, agreed.words()) if agreed else (None,) * len(_PARTS)
    for part, value in zip(_PARTS, values, strict=True):
        setattr(attempt, f"{name}_{part}", value)


def remove_ticks(*, attempt: Attempt) -> Sequence[str]:
    """Empty what is ticked, without saving it, and return the names of its fields."""
    for name in AGREED_FIELDS:
        setattr(attempt, name, None)
    return AGREED_FIELDS


def tick_on_last_page(
    *, attempt: Attempt, by: User, page: LastPage, versions: Versions, now: datetime
) -> None:
    """Set on the attempt what was agreed to on the last page, without saving it.

    Raises Refused: DOCUMENT_CHANGED when a document is not in force, and when nothing says that
    this account has agreed to the instructions.
    """
    if not all(versions.is_in_force(agreed.document.pk) for agreed in page.agreed()):
        raise Refused(JourneyRefusal.DOCUMENT_CHANGED)
    if not attempt.invitation.is_reseller:
        return
    if not attempt.is_ticked_by_its_account:
        remove_ticks(attempt=attempt)
    if page.instructions is not None:
        attempt.agreed_by = by
        tick_instructions(
            attempt=attempt, instructions=page.instructions, address=page.address, now=now
        )
    if not versions.is_in_force(attempt.instructions_id):
        raise Refused(JourneyRefusal.DOCUMENT_CHANGED)
    if page.letter is not None:
        letter = page.letter.agreed
        is_ticked_before = page.instructions is None and versions.is_in_force(attempt.letter_id)
        if letter is None or not is_ticked_before:
            tick_letter(attempt=attempt, letter=letter, address=page.address, now=now)


def consents_of(
    *, attempt: Attempt, page: LastPage, versions: Versions, now: datetime
) -> list[Consent]:
    """Return the consents to what is ticked on the attempt and to the agreement, unsaved.

    Raises Refused: DOCUMENT_CHANGED when a document of the agreement is missing.
    """
    consents = _ticked(attempt, versions) if attempt.invitation.is_reseller else []
    if page.enabling is not None:
        if page.enabling.agreed.keys() != set(AGREEMENT):
            raise Refused(JourneyRefusal.DOCUMENT_CHANGED)
        consents += [
            _consent(attempt, agreed.document.pk, now, page.address, agreed.words())
            for agreed in page.enabling.agreed.values()
        ]
    return consents


def _ticked(attempt: Attempt, versions: Versions) -> list[Consent]:
    ticks = [[getattr(attempt, f"{name}_{part}") for part in _PARTS] for name in _TICKED]
    return [
        _consent(attempt, document_id, agreed_at, address, words)
        for document_id, agreed_at, address, words in ticks
        if document_id and agreed_at and versions.is_in_force(document_id)
    ]


def _consent(
    attempt: Attempt,
    document_id: int,
    at: datetime,
    address: str | None,
    words: dict[str, str] | None,
) -> Consent:
    """Return a consent; its words are unknown if it was ticked before they were stored."""
    return Consent(
        account=attempt.account,
        document_id=document_id,
        attempt=attempt,
        agreed_at=at,
        network_address=address,
        **(words or dict.fromkeys(WORDS, "")),
    )

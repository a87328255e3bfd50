"""Attempts: starting one, what is agreed and chosen on the way, and the account that enters it."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import CustomerAccount, User
from association.enums import JourneyRefusal
from association.models import Association, Attempt, LegalDocument
from association.services.admission import Admission, admit
from association.services.eligibility import REGISTRATION_WINDOW
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.models import Invitation
from partners.services.members import partner_recipients
from web.fixed_queries import IDENTIFIER, fixed_query
from web.refused import Refused

LETTER_FIELDS = ("letter", "letter_agreed_at", "letter_network_address")


def new_browser_secret() -> str:
    """Return 128 fresh random bits for the cookie that makes an attempt this browser's."""
    return secrets.token_hex(16)


def hash_of(browser_secret: str) -> str:
    """Return what is stored of a browser's secret."""
    return hashlib.sha256(browser_secret.encode()).hexdigest()


def find_attempt(attempt_id: UUID) -> Attempt | None:
    """Return the attempt with what every page of it reads: whose it is, and who invites."""
    return _attempts.first(attempt_id)


@fixed_query(IDENTIFIER)
def _attempts(attempt_id: UUID) -> QuerySet[Attempt]:
    loaded = Attempt.objects.select_related("invitation__partner", "account__owner", "association")
    return loaded.filter(pk=attempt_id)


def lock_unfinished(attempt: Attempt) -> Attempt:
    """Lock the attempt's row until the transaction ends, and return it as it is now.

    Every later write of an attempt begins with this: what an association was made from does not
    change behind it. Raises Refused.
    """
    locked = lock_attempt(attempt)
    if find_association(locked) is not None:
        raise Refused(JourneyRefusal.FINISHED)
    return locked


def lock_attempt(attempt: Attempt) -> Attempt:
    """Lock the attempt's row until the transaction ends, and return it as it is now."""
    [locked] = _locked_attempts.all(attempt.pk)
    return locked


@fixed_query(IDENTIFIER)
def _locked_attempts(attempt_id: UUID) -> QuerySet[Attempt]:
    return Attempt.objects.select_for_update().filter(pk=attempt_id)


def find_association(attempt: Attempt) -> Association | None:
    """Return what was made of the attempt, or None."""
    return _associations.first(attempt.pk)


@fixed_query(IDENTIFIER)
def _associations(attempt_id: UUID) -> QuerySet[Association]:
    return Association.objects.filter(attempt=attempt_id)


def start_attempt(
    *, invitation: Invitation, browser_secret: str, language: str, now: datetime
) -> Attempt:
    """Create the attempt of this browser; the first row that a visitor causes."""
    return Attempt.objects.create(
        invitation=invitation,
        partner_id=invitation.partner_id,
        invited_by_id=invitation.created_by_id,
        browser_hash=hash_of(browser_secret),
        language=language,
        started_at=now,
    )


def restart_attempt(*, attempt: Attempt, browser_secret: str, now: datetime) -> Attempt:
    """Begin again with another account: a new attempt that keeps what was agreed to.

    The old one stays as it is: who was refused in it is history.
    """
    return Attempt.objects.create(
        invitation=attempt.invitation,
        partner_id=attempt.partner_id,
        invited_by_id=attempt.invited_by_id,
        browser_hash=hash_of(browser_secret),
        language=attempt.language,
        started_at=now,
        instructions_id=attempt.instructions_id,
        instructions_agreed_at=attempt.instructions_agreed_at,
        instructions_network_address=attempt.instructions_network_address,
        letter_id=attempt.letter_id,
        letter_agreed_at=attempt.letter_agreed_at,
        letter_network_address=attempt.letter_network_address,
    )


def agree_to_instructions(
    *,
    attempt: Attempt,
    instructions: LegalDocument,
    letter: LegalDocument | None,
    address: str | None,
    now: datetime,
) -> None:
    """Keep what the visitor ticked: the instructions, and the letter or its absence.

    The latest choice counts; an unticked letter takes back an earlier tick. Raises
    Refused.
    """
    attempt.instructions, attempt.instructions_agreed_at = instructions, now
    attempt.instructions_network_address = address
    choose_letter(
        attempt=attempt, letter_id=letter.pk if letter else None, address=address, now=now
    )
    with transaction.atomic():
        lock_unfinished(attempt)
        attempt.save(
            update_fields=[
                "instructions",
                "instructions_agreed_at",
                "instructions_network_address",
                *LETTER_FIELDS,
            ]
        )


def choose_letter(
    *, attempt: Attempt, letter_id: int | None, address: str | None, now: datetime
) -> None:
    """Note on the attempt that the letter was ticked, or that it was not; saves nothing."""
    attempt.letter_id, attempt.letter_agreed_at = letter_id, now if letter_id else None
    attempt.letter_network_address = address if letter_id else None


def remember_registration(
    *, attempt: Attempt, email: str, country: str, code_asked_at: datetime | None
) -> None:
    """Keep which address is being proven, for which country, and when a code was asked for.

    Raises Refused when the attempt is finished.
    """
    attempt.registration_email, attempt.registration_country = email, country
    attempt.code_asked_at = code_asked_at
    with transaction.atomic():
        lock_unfinished(attempt)
        attempt.save(update_fields=["registration_email", "registration_country", "code_asked_at"])


def enter_attempt(
    *, attempt: Attempt, account: CustomerAccount, now: datetime, registered: bool = False
) -> Admission:
    """Give the attempt its account and decide; repeating it decides again.

    Called by the log-in, the registration (`registered`) and "Continue as". From now on only this
    account's log-in opens the attempt. Raises Refused when it is another account's or finished.
    """
    with transaction.atomic():
        locked = lock_unfinished(attempt)
        if locked.account_id not in (None, account.pk):
            raise Refused(JourneyRefusal.OTHER_ACCOUNT)
        attempt.account = account
        attempt.entered_at = locked.entered_at or now
        attempt.registered_at = locked.registered_at or (now if registered else None)
        attempt.save(update_fields=["account", "entered_at", "registered_at"])
        return decide_attempt(attempt=attempt, now=now)


def decide_attempt(*, attempt: Attempt, now: datetime) -> Admission:
    """Check the attempt's account against every rule and keep the refusal codes as history.

    Raises Refused when the attempt is finished.
    """
    with transaction.atomic():
        lock_unfinished(attempt)
        admission = admit(attempt=attempt, now=now)
        keep_refusals(attempt=attempt, codes=admission.refusal_codes, now=now)
        return admission


def keep_refusals(*, attempt: Attempt, codes: Sequence[str], now: datetime) -> None:
    """Keep what the latest decision refused for; none when it would let the account join.

    Belongs into a transaction that has locked the attempt.
    """
    attempt.refusal_codes, attempt.decided_at = list(codes), now
    attempt.refused_at = now if codes else None
    attempt.save(update_fields=["refusal_codes", "decided_at", "refused_at"])


def last_moment_to_associate(attempt: Attempt) -> datetime | None:
    """Return until when the account may join: seven days after its registration."""
    if attempt.account is None:
        return None
    return attempt.account.registered_at + REGISTRATION_WINDOW


def defer_attempt(*, attempt: Attempt, by: User, now: datetime) -> None:
    """Let the customer enable later: mail the way back, once a day at the most.

    Raises Refused when the attempt is finished.
    """
    with transaction.atomic():
        locked = lock_unfinished(attempt)
        if locked.deferred_at is not None and now - locked.deferred_at < timedelta(days=1):
            return
        attempt.deferred_at = now
        attempt.save(update_fields=["deferred_at"])
        enqueue_messages(
            messages=[
                OutgoingMessage("association.resume", by.email, attempt, attempt.language),
            ],
            now=now,
        )


def tell_partner(*, attempt: Attempt, now: datetime) -> None:
    """Send what refuses now to the partner, as codes, because the customer asks for it.

    Once per account and invitation, however many attempts: after that the attempt only notes when.
    Raises Refused when nothing refuses.
    """
    with transaction.atomic():
        lock_unfinished(attempt)
        if decide_attempt(attempt=attempt, now=now).is_admitted:
            raise Refused(JourneyRefusal.NOTHING_REFUSED)
        told_before = Attempt.objects.filter(
            invitation=attempt.invitation_id,
            account=attempt.account_id,
            told_partner_at__isnull=False,
        ).first()
        attempt.told_partner_at = told_before.told_partner_at if told_before else now
        attempt.save(update_fields=["told_partner_at"])
        if told_before is None:
            _enqueue_refusals(attempt, now)


def _enqueue_refusals(attempt: Attempt, now: datetime) -> None:
    enqueue_messages(
        messages=[
            OutgoingMessage(
                "association.customer_refused",
                recipient.email,
                attempt,
                recipient.language,
                data={"codes": attempt.refusal_codes},
            )
            for recipient in partner_recipients(attempt.invitation)
        ],
        now=now,
    )


def change_language(*, attempt: Attempt, language: str) -> None:
    """Keep the language that the visitor chose on the way."""
    attempt.language = language
    attempt.save(update_fields=["language"])

"""Attempts: starting one, what the visitor agrees to, and the account that enters it."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import CustomerAccount, User
from association.enums import JourneyRefusal
from association.models import Association, Attempt, PartnerTold, ResumeEmail
from association.services.admission import Admission, account_of, admit
from association.services.consents import (
    AGREED_FIELDS,
    remove_ticks,
    tick_instructions,
    tick_letter,
)
from association.services.documents import Agreed
from association.services.eligibility import REGISTRATION_WINDOW
from association.services.events import publish_refused_attempt
from association.services.recipients import email_members
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.models import Invitation
from partners.services.members import partner_recipients
from web.fixed_queries import IDENTIFIER, fixed_query
from web.refused import Refused
from web.transactions import whole_transaction


def new_browser_secret() -> str:
    """Return a random value for the cookie that makes an attempt this browser's."""
    return secrets.token_hex(16)


def hash_of(browser_secret: str) -> str:
    """Return what is stored of a browser's secret."""
    return hashlib.sha256(browser_secret.encode()).hexdigest()


def find_attempt(attempt_id: UUID) -> Attempt | None:
    """Return the attempt with its account, its invitation and its association, or None."""
    return _attempts.first(attempt_id)


@fixed_query(IDENTIFIER)
def _attempts(attempt_id: UUID) -> QuerySet[Attempt]:
    loaded = Attempt.objects.select_related("invitation__partner", "account__owner", "association")
    return loaded.filter(pk=attempt_id)


def lock_unfinished(attempt: Attempt) -> Attempt:
    """Lock the attempt's row until the transaction ends, and return it as it is now.

    Every change of an attempt begins with this, so that none follows its association. Raises
    Refused when it has one.
    """
    locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if find_association(locked) is not None:
        raise Refused(JourneyRefusal.FINISHED)
    return locked


def find_association(attempt: Attempt) -> Association | None:
    """Return what was made of the attempt, or None."""
    return _associations.first(attempt.pk)


@fixed_query(IDENTIFIER)
def _associations(attempt_id: UUID) -> QuerySet[Association]:
    return Association.objects.filter(attempt=attempt_id)


def find_own_attempt(
    *, invitation_id: int, owner: User | None, browser_hash: str | None
) -> Attempt | None:
    """Return the visitor's newest attempt of this invitation, or None.

    It is found by the signed-in `owner`, else by the browser while it has no account yet.
    """
    attempts = Attempt.objects.filter(invitation=invitation_id).order_by("-started_at")
    attempts = attempts.select_related("account", "association")
    if owner is not None:
        own = attempts.filter(account__owner=owner).first()
        if own is not None:
            return own
    if browser_hash is None:
        return None
    return attempts.filter(browser_hash=browser_hash, account__isnull=True).first()


def find_own_association(owner: User) -> Association | None:
    """Return the association in force of this user's account, with its partner, or None."""
    return (
        Association.objects.in_force()
        .select_related("partner", "account")
        .filter(account__owner=owner)
        .first()
    )


def derived_from(invitation: Invitation) -> dict[str, Any]:
    """Return what an attempt derives from its invitation, by column; none of it ever changes."""
    return {
        "partner_id": invitation.partner_id,
        "invited_by_id": invitation.created_by_id,
        "channel": invitation.channel,
        "association_type": invitation.association_type,
    }


def start_attempt(
    *, invitation: Invitation, browser_secret: str, language: str, now: datetime
) -> Attempt:
    """Create the attempt of this browser."""
    return Attempt.objects.create(
        invitation=invitation,
        browser_hash=hash_of(browser_secret),
        language=language,
        started_at=now,
        **derived_from(invitation),
    )


def restart_attempt(*, attempt: Attempt, browser_secret: str, now: datetime) -> Attempt:
    """Create an attempt for another account, without what was ticked; the old one stays.

    The instructions are not shown again: the last page asks for the agreement to them.
    """
    invitation = attempt.invitation
    return Attempt.objects.create(
        invitation=invitation,
        language=attempt.language,
        browser_hash=hash_of(browser_secret),
        started_at=now,
        is_restarted=True,
        **derived_from(invitation),
    )


@whole_transaction
def forget_ticks(*, attempt: Attempt) -> None:
    """Remove what was ticked, for another account that has not entered yet.

    As in `restart_attempt()`, the last page asks for the agreement. Raises Refused: FINISHED,
    OTHER_ACCOUNT.
    """
    with transaction.atomic():
        if lock_unfinished(attempt).account_id is not None:
            raise Refused(JourneyRefusal.OTHER_ACCOUNT)
        attempt.is_restarted = True
        attempt.save(update_fields=["is_restarted", *remove_ticks(attempt=attempt)])


@whole_transaction
def agree_to_instructions(
    *,
    attempt: Attempt,
    instructions: Agreed,
    letter: Agreed | None,
    address: str | None,
    by: User | None,
    now: datetime,
) -> None:
    """Keep the visitor's latest choice about instructions and letter.

    `by` is the user who is signed in, if any. Raises Refused: FINISHED, and OTHER_ACCOUNT when an
    account has entered the attempt meanwhile, because these are not that account's ticks.
    """
    attempt.agreed_by = by
    tick_instructions(attempt=attempt, instructions=instructions, address=address, now=now)
    tick_letter(attempt=attempt, letter=letter, address=address, now=now)
    with transaction.atomic():
        if lock_unfinished(attempt).account_id != attempt.account_id:
            raise Refused(JourneyRefusal.OTHER_ACCOUNT)
        attempt.save(update_fields=AGREED_FIELDS)


@whole_transaction
def remember_registration(
    *,
    attempt: Attempt,
    email: str,
    country: str,
    code_asked_at: datetime | None,
    code_again_at: datetime | None = None,
) -> None:
    """Keep what is being registered, and when its code was asked for. Raises Refused: FINISHED.

    `code_again_at`: from when the next code is possible.
    """
    attempt.registration_email, attempt.registration_country = email, country
    attempt.code_asked_at, attempt.code_again_at = code_asked_at, code_again_at
    changed = ["registration_email", "registration_country", "code_asked_at", "code_again_at"]
    with transaction.atomic():
        lock_unfinished(attempt)
        attempt.save(update_fields=changed)


@whole_transaction
def enter_attempt(
    *, attempt: Attempt, account: CustomerAccount, now: datetime, registered: bool = False
) -> Admission:
    """Give the attempt its account and decide; repeating it decides again.

    From now on only this account's log-in opens the attempt. What was ticked stays if it is this
    account's: an account that is `registered` on the way keeps what was ticked without a log-in,
    another what its owner ticked while signed in. Raises Refused when the attempt is another
    account's or finished.
    """
    with transaction.atomic():
        locked = lock_unfinished(attempt)
        if locked.account_id not in (None, account.pk):
            raise Refused(JourneyRefusal.OTHER_ACCOUNT)
        attempt.account = account
        attempt.entered_at = locked.entered_at or now
        attempt.registered_at = locked.registered_at or (now if registered else None)
        attempt.agreed_by_id = locked.agreed_by_id
        changed = ["account", "entered_at", "registered_at"]
        if not attempt.is_ticked_by_its_account:
            changed += remove_ticks(attempt=attempt)
        attempt.save(update_fields=changed)
        return _decide(attempt, now)


@whole_transaction
def decide_attempt(*, attempt: Attempt, now: datetime) -> Admission:
    """Check the account by every rule and keep the refusal codes. Raises Refused: FINISHED."""
    with transaction.atomic():
        lock_unfinished(attempt)
        return _decide(attempt, now)


def _decide(attempt: Attempt, now: datetime) -> Admission:
    admission = admit(attempt=attempt, now=now)
    keep_refusals(attempt=attempt, codes=admission.refusal_codes, now=now)
    return admission


def keep_refusals(*, attempt: Attempt, codes: Sequence[str], now: datetime) -> None:
    """Keep the codes of the latest decision. Call it in a transaction that locked the attempt."""
    attempt.refusal_codes, attempt.decided_at = list(codes), now
    attempt.refused_at, attempt.dismissed_at = now if codes else None, None
    attempt.save(update_fields=["refusal_codes", "decided_at", "refused_at", "dismissed_at"])


def last_moment_to_associate(attempt: Attempt) -> datetime | None:
    """Return until when the attempt's account, if it has one, may join."""
    return last_moment_of(attempt.account) if attempt.account is not None else None


def last_moment_of(account: CustomerAccount) -> datetime:
    """Return until when an account may join: seven days after its registration."""
    return account.registered_at + REGISTRATION_WINDOW


@whole_transaction
def defer_attempt(*, attempt: Attempt, by: User, now: datetime) -> None:
    """Put enabling off, and e-mail the link back, once a day (UTC) per account at most.

    Locks the attempt and its account. Raises Refused: FINISHED, and OTHER_ACCOUNT when the user has
    been erased meanwhile.
    """
    with transaction.atomic():
        locked = lock_with_account(attempt)
        if not User.objects.filter(pk=by.pk, is_active=True).exists():
            raise Refused(JourneyRefusal.OTHER_ACCOUNT)
        _, is_first = ResumeEmail.objects.get_or_create(
            account=account_of(attempt),
            sent_on=now.astimezone(UTC).date(),
            defaults={"attempt": attempt},
        )
        if is_first or locked.deferred_at is None:
            attempt.deferred_at = now
            attempt.save(update_fields=["deferred_at"])
        if is_first:
            message = OutgoingMessage("association.resume", by.email, attempt, attempt.language)
            enqueue_messages(messages=[message], now=now)


def has_resume_email(attempt: Attempt) -> bool:
    """Whether the link back to this attempt was e-mailed."""
    return ResumeEmail.objects.filter(attempt=attempt).exists()


@whole_transaction
def tell_partner(*, attempt: Attempt, now: datetime) -> None:
    """E-mail the refusals to the partner, and publish them, once per account and invitation.

    Locks the attempt and its account. Raises Refused: NOTHING_REFUSED, FINISHED.
    """
    with transaction.atomic():
        lock_with_account(attempt)
        if _decide(attempt, now).is_admitted:
            raise Refused(JourneyRefusal.NOTHING_REFUSED)
        account, invitation = account_of(attempt), attempt.invitation
        told, is_first = PartnerTold.objects.get_or_create(
            account=account, invitation=invitation, defaults={"told_at": now}
        )
        attempt.told_partner_at = told.told_at
        attempt.save(update_fields=["told_partner_at"])
        if is_first:
            kind = "association.customer_refused"
            members = partner_recipients(invitation, kind)
            email_members(kind, attempt, members, now=now, codes=attempt.refusal_codes)
            publish_refused_attempt(attempt=attempt, now=now)


def lock_with_account(attempt: Attempt) -> Attempt:
    """Lock the attempt, then its account, in the order of `associate()`; return the attempt.

    An account may have several attempts; what it may do only so often is counted under its lock.
    Raises Refused: FINISHED.
    """
    locked = lock_unfinished(attempt)
    CustomerAccount.objects.select_for_update().get(pk=account_of(attempt).pk)
    return locked


def change_language(*, attempt: Attempt, language: str) -> None:
    """Keep the language that the visitor chose."""
    attempt.language = language
    attempt.save(update_fields=["language"])

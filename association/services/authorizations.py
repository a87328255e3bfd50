"""Authorizations after the association: asked for by the partner, answered by the customer.

None of this touches the association: it is the same with an authorization and without one.
"""

from datetime import datetime
from enum import StrEnum

from django.db import transaction

from accounts.models import CustomerAccount, User
from association.models import Association, Authorization, Consent, DocumentKind
from association.services.documents import current_documents
from association.services.recipients import customer_recipients
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION


class AuthorizationProblem(StrEnum):
    """Why an authorization is not asked for, given, declined or revoked."""

    ENDED = "ended"
    NOT_OWNER = "not_owner"
    LETTER_CHANGED = "letter_changed"
    ALREADY_GRANTED = "already_granted"
    ALREADY_DECLINED = "already_declined"
    ALREADY_REVOKED = "already_revoked"
    NOT_GRANTED = "not_granted"
    NOT_REQUESTED = "not_requested"


_ANSWERED = {
    "granted": AuthorizationProblem.ALREADY_GRANTED,
    "declined": AuthorizationProblem.ALREADY_DECLINED,
    "revoked": AuthorizationProblem.ALREADY_REVOKED,
    "requested": AuthorizationProblem.NOT_GRANTED,
}


class AuthorizationRefused(Exception):
    """The act is not possible as things are now; nothing was written. `code` says why."""

    def __init__(self, code: AuthorizationProblem) -> None:
        super().__init__(code.value)
        self.code = code


def request_authorization(*, association: Association, by: User, now: datetime) -> Authorization:
    """Ask the customer for the authorization, by mail and under My partner.

    While a request is open, asking again returns it and writes nothing. Raises
    AuthorizationRefused: `ended`, `already_granted`.
    """
    with transaction.atomic():
        locked = _lock(association)
        open_one = locked.authorizations.open().first()
        if open_one is not None:
            if open_one.granted_at is not None:
                raise AuthorizationRefused(AuthorizationProblem.ALREADY_GRANTED)
            return open_one
        asked = locked.authorizations.create(requested_at=now, requested_by=by)
        record_audit_event(
            action="authorization.requested",
            about=asked,
            by=by,
            now=now,
            after={"association": locked.pk, "requested_at": now},
        )
        owner = locked.account.owner
        kind = "association.authorization_requested"
        enqueue_messages(
            messages=[OutgoingMessage(kind, owner.email, asked, owner.language)], now=now
        )
        return asked


def grant_authorization(
    *,
    association: Association,
    shown_request: Authorization | None,
    shown_version: int,
    language: str,
    address: str | None,
    by: User,
    now: datetime,
) -> Authorization:
    """Agree to the letter as the account's owner: answers the open request, or gives it unasked.

    `shown_version` and `shown_request` are what the page showed: the letter of this version, in
    `language`, must be in force, and the request not answered otherwise. The consent is kept with
    moment and network address. Once granted, agreeing again returns it and writes nothing. Raises
    AuthorizationRefused: `ended`, `not_owner`, `letter_changed`, `already_declined`,
    `already_revoked`.
    """
    with transaction.atomic():
        locked = _lock_own(association, by)
        open_one = locked.authorizations.open().first()
        if open_one is not None and open_one.granted_at is not None:
            return open_one
        if shown_request is not None and shown_request != open_one:
            answered = locked.authorizations.get(pk=shown_request.pk)
            raise AuthorizationRefused(_ANSWERED[answered.state])
        letter = current_documents([LETTER], language)[LETTER]
        if letter.version != shown_version:
            raise AuthorizationRefused(AuthorizationProblem.LETTER_CHANGED)
        consent = Consent.objects.create(
            account=locked.account, document=letter, agreed_at=now, address=address
        )
        granted = open_one or Authorization(association=locked)
        granted.granted_at, granted.consent = now, consent
        granted.save(update_fields=["granted_at", "consent"] if open_one else None)
        _record(granted, "granted_at", {"consent": consent.pk}, by=by, now=now)
        _tell_partner(locked, granted, now)
        return granted


def decline_authorization(
    *, authorization: Authorization, reason: str, by: User, now: datetime
) -> Authorization:
    """Decline the partner's request as the account's owner; the reason may be left out.

    Once declined, declining again returns it and writes nothing. Raises AuthorizationRefused:
    `ended`, `not_owner`, `already_granted`, `already_revoked`.
    """
    return _end(authorization, "declined", ends="requested", reason=reason, by=by, now=now)


def revoke_authorization(
    *, authorization: Authorization, reason: str, by: User, now: datetime
) -> Authorization:
    """Take back what was granted, as the account's owner, from this moment on.

    Once revoked, revoking again returns it and writes nothing. Raises AuthorizationRefused:
    `ended`, `not_owner`, `already_declined`, `not_granted`.
    """
    return _end(authorization, "revoked", ends="granted", reason=reason, by=by, now=now)


def _end(
    authorization: Authorization, state: str, *, ends: str, reason: str, by: User, now: datetime
) -> Authorization:
    """Move the authorization from the state that this ends, and tell the partner."""
    with transaction.atomic():
        association = _lock_own(authorization.association, by)
        ended = association.authorizations.get(pk=authorization.pk)
        if ended.state == state:
            return ended
        if ended.state != ends:
            raise AuthorizationRefused(_ANSWERED[ended.state])
        _write_end(ended, f"{state}_at", reason, by=by, now=now)
        _tell_partner(association, ended, now)
        return ended


def revoke_open_authorization(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> Authorization | None:
    """End the authorization that is granted or asked for, and return it; None when none is open.

    One that was granted is revoked, one that was only asked for is declined. Nobody is mailed.
    """
    with transaction.atomic():
        open_one = association.authorizations.select_for_update().open().first()
        if open_one is None:
            return None
        ended = "revoked_at" if open_one.granted_at is not None else "declined_at"
        _write_end(open_one, ended, reason, by=by, now=now)
        return open_one


def _lock(association: Association) -> Association:
    """Lock the account and return the association as it is now, which must be in force."""
    CustomerAccount.objects.select_for_update().get(pk=association.account_id)
    locked = Association.objects.select_related("account__owner").get(pk=association.pk)
    if locked.ended_at is not None:
        raise AuthorizationRefused(AuthorizationProblem.ENDED)
    return locked


def _lock_own(association: Association, by: User) -> Association:
    """Lock as above; only the account's owner answers for it."""
    locked = _lock(association)
    if locked.account.owner_id != by.pk:
        raise AuthorizationRefused(AuthorizationProblem.NOT_OWNER)
    return locked


def _write_end(
    authorization: Authorization, ended: str, reason: str, *, by: User | None, now: datetime
) -> None:
    setattr(authorization, ended, now)
    authorization.reason = reason
    authorization.save(update_fields=[ended, "reason"])
    _record(authorization, ended, {"reason": reason}, by=by, now=now)


def _record(
    authorization: Authorization,
    changed: str,
    more: dict[str, object],
    *,
    by: User | None,
    now: datetime,
) -> None:
    record_audit_event(
        action=f"authorization.{authorization.state}",
        about=authorization,
        by=by,
        now=now,
        before={changed: None},
        after={changed: now, **more},
    )


def _tell_partner(association: Association, authorization: Authorization, now: datetime) -> None:
    """Promise a mail about the decision to each who hears of this customer."""
    enqueue_messages(
        messages=[
            OutgoingMessage(
                "association.authorization_decided",
                user.email,
                authorization,
                user.language,
                data={"state": authorization.state},
            )
            for user in customer_recipients(association)
        ],
        now=now,
    )

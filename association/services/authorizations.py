"""Authorizations: requested by the partner, granted, declined or revoked by the customer.

The association does not depend on them and is never changed here.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User, acts_for_provider
from association.enums import AssociationRefusal, AuthorizationState
from association.models import (
    Association,
    Authorization,
    Consent,
    DocumentKind,
    LegalDocument,
)
from association.services.customers import (
    lock_customers,
    lock_own_customer,
    lock_partner_to_act,
)
from association.services.documents import Agreed, current_documents
from association.services.events import build_authorization_event
from association.services.moments import moment_after, possible_again_at
from association.services.recipients import email_customer, email_partner
from audit.services import record_audit_event
from outbox.services.events import publish_many
from web.refused import Refused
from web.transactions import whole_transaction

# Each of them, and each revocation, is an e-mail to the partner. Revoking is never refused.
MOST_GRANTS_A_DAY = 5
LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
_ANSWERED = {
    AuthorizationState.GRANTED: AssociationRefusal.ALREADY_GRANTED,
    AuthorizationState.DECLINED: AssociationRefusal.ALREADY_DECLINED,
    AuthorizationState.REVOKED: AssociationRefusal.ALREADY_REVOKED,
    AuthorizationState.REQUESTED: AssociationRefusal.NOT_GRANTED,
}


@whole_transaction
def request_authorization(*, association: Association, by: User, now: datetime) -> Authorization:
    """Ask the customer for the authorization, by e-mail and under My partner.

    While a request is open, this returns it and writes nothing. Locks the account. Raises Refused:
    ENDED, PARTNER_FROZEN, ALREADY_GRANTED.
    """
    with transaction.atomic():
        [locked] = lock_customers([association])
        now = moment_after([locked], now)
        lock_partner_to_act(locked, by)
        open_one = locked.authorizations.open().first()
        if open_one is not None:
            if open_one.granted_at is not None:
                raise Refused(AssociationRefusal.ALREADY_GRANTED, association=locked)
            return open_one
        requested = locked.authorizations.create(
            requested_at=now, requested_by=by, requested_by_provider=acts_for_provider(by)
        )
        record_audit_event(
            action="authorization.requested",
            about=requested,
            by=by,
            now=now,
            after={"association": locked.pk, "requested_at": now},
        )
        publish_many(events=[build_authorization_event(requested, locked)], now=now)
        email_customer("association.authorization_requested", requested, locked, now=now)
        return requested


@whole_transaction
def grant_authorization(
    *,
    association: Association,
    shown_request: Authorization | None,
    shown_letter: int,
    label: str,
    language: str,
    address: str | None,
    by: User,
    now: datetime,
) -> Authorization:
    """Agree to the letter as the account's owner, with or without a request of the partner.

    `shown_letter`, `label` and `shown_request` are what the page showed: the letter of this
    version, in `language`, must be in force, and the request must still be open. The consent is
    stored with moment, network address and the label of the button. Once granted, this returns the
    authorization and writes nothing. Locks the account. Raises Refused: ENDED, NOT_OWNER,
    AUTHORIZATION_LETTER_CHANGED, GRANTED_TOO_OFTEN, ALREADY_DECLINED, ALREADY_REVOKED.
    """
    with transaction.atomic():
        locked = lock_own_customer(association, by)
        now = moment_after([locked], now)
        open_one = locked.authorizations.open().first()
        if open_one is not None and open_one.granted_at is not None:
            return open_one
        if shown_request is not None and shown_request != open_one:
            answered = locked.authorizations.get(pk=shown_request.pk)
            raise Refused(_ANSWERED[answered.state], association=locked)
        _check_grants_of_day(locked, now)
        agreed = Agreed(_letter_in_force(locked, shown_letter, language), label, language)
        consent = Consent.objects.create(
            account=locked.account,
            document=agreed.document,
            agreed_at=now,
            network_address=address,
            **agreed.words(),
        )
        granted = open_one or Authorization(association=locked)
        granted.granted_at, granted.consent = now, consent
        granted.save(update_fields=["granted_at", "consent"] if open_one else None)
        after = {"granted_at": now, "consent": consent.pk}
        _record(granted, after, "granted_at", by=by, now=now)
        _email_partner(granted, locked, now)
        return granted


def _check_grants_of_day(association: Association, now: datetime) -> None:
    rows = association.authorizations.values_list("granted_at", flat=True)
    moments = [moment for moment in rows if moment is not None]
    again_at = possible_again_at(moments, most=MOST_GRANTS_A_DAY, now=now)
    if again_at is not None:
        code = AssociationRefusal.GRANTED_TOO_OFTEN
        raise Refused(code, association=association, again_at=again_at)


def _letter_in_force(association: Association, version: int, language: str) -> LegalDocument:
    letter = current_documents([LETTER], language)[LETTER]
    if letter.version != version:
        raise Refused(AssociationRefusal.AUTHORIZATION_LETTER_CHANGED, association=association)
    return letter


def decline_authorization(
    *, authorization: Authorization, reason: str, by: User, now: datetime
) -> Authorization:
    """Decline the partner's request as the account's owner; the reason may be empty.

    Once declined, this returns the authorization and writes nothing. Locks the account. Raises
    Refused: ENDED, NOT_OWNER, ALREADY_GRANTED, ALREADY_REVOKED.
    """
    ends, state = AuthorizationState.REQUESTED, AuthorizationState.DECLINED
    return _end(authorization, state, ends=ends, reason=reason, by=by, now=now)


def revoke_authorization(
    *, authorization: Authorization, reason: str, by: User, now: datetime
) -> Authorization:
    """Revoke a granted authorization as the account's owner, from this moment on.

    Once revoked, this returns the authorization and writes nothing. Locks the account. Raises
    Refused: ENDED, NOT_OWNER, ALREADY_DECLINED, NOT_GRANTED.
    """
    ends, state = AuthorizationState.GRANTED, AuthorizationState.REVOKED
    return _end(authorization, state, ends=ends, reason=reason, by=by, now=now)


@whole_transaction
def _end(
    authorization: Authorization,
    state: AuthorizationState,
    *,
    ends: AuthorizationState,
    reason: str,
    by: User,
    now: datetime,
) -> Authorization:
    """Move the authorization from the state that this ends, and tell the partner."""
    with transaction.atomic():
        association = lock_own_customer(authorization.association, by)
        now = moment_after([association], now)
        ended = association.authorizations.get(pk=authorization.pk)
        if ended.state == state:
            return ended
        if ended.state != ends:
            raise Refused(_ANSWERED[ended.state], association=association)
        _write_end(ended, f"{state}_at", reason, by=by, now=now)
        _email_partner(ended, association, now)
        return ended


def revoke_open_authorization(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> None:
    """End the open authorization, if any: a granted one is revoked, a requested one declined.

    No e-mail is sent. The caller has locked the account.
    """
    open_one = association.authorizations.open().first()
    if open_one is not None:
        ended = "revoked_at" if open_one.granted_at is not None else "declined_at"
        _write_end(open_one, ended, reason, by=by, now=now)


def _write_end(
    authorization: Authorization, ended: str, reason: str, *, by: User | None, now: datetime
) -> None:
    setattr(authorization, ended, now)
    authorization.reason = reason
    authorization.save(update_fields=[ended, "reason"])
    _record(authorization, {ended: now, "reason": reason}, ended, by=by, now=now)


def _record(
    authorization: Authorization,
    after: dict[str, object],
    changed: str,
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
        after=after,
    )
    publish_many(
        events=[build_authorization_event(authorization, authorization.association)], now=now
    )


def _email_partner(authorization: Authorization, association: Association, now: datetime) -> None:
    kind, state = "association.authorization_decided", authorization.state
    email_partner(kind, authorization, association, now=now, state=state)

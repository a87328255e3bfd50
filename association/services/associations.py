"""The association itself: one transaction, all or nothing, and its end."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction
from django.db.models import Exists

from accounts.models import CustomerAccount, FreezeCause, FreezeScope, User
from accounts.services.audit import record_event
from accounts.services.freezes import open_freeze, unfreeze_account
from accounts.services.outbox import OutgoingMessage, enqueue_messages
from association.models import Association, Attempt, Authorization, Consent, DocumentKind
from association.services.admission import Admission, account_of, admit
from association.services.attempts import (
    LETTER_FIELDS,
    AttemptFinished,
    choose_letter,
    keep_refusals,
    lock_unfinished,
)
from association.services.authorizations import revoke_open_authorization
from association.services.clock import database_now
from association.services.customers import ALL_BUT_ADMINISTRATOR
from association.services.documents import Versions, load_versions
from association.services.eligibility import snapshot
from partners.models import Invitation, PartnerMember
from partners.services.invitations import InvitationRefused, use_invitation
from partners.services.members import partner_recipients

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
AGREEMENT = (DocumentKind.CUSTOMER_AGREEMENT, DocumentKind.PRIVACY_STATEMENT)


class AssociationRefused(Exception):
    """A rule refuses; `admission` says which ones and why. Only that is kept, as history."""

    code = "refused"

    def __init__(self, admission: Admission) -> None:
        super().__init__(", ".join(admission.refusal_codes))
        self.admission = admission


class AlreadyAssociated(Exception):
    """The account is this partner's customer already; nothing was written or used."""

    code = "already_associated"


class StepUndone(Exception):
    """Something before this step is missing or out of date; nothing was written.

    `code` is one of `instructions` (not agreed to, or to an older version), `account` (not this
    one), `letter`, `agreement` (not the versions in force) and `enable` (services are not enabled).
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Enabling:
    """What a customer gives to enable services: the country, and which versions were agreed to."""

    country: str
    agreed_versions: Mapping[DocumentKind, int]


@dataclass(frozen=True, slots=True)
class LetterChoice:
    """What the last page said about the letter: the version that was ticked, or None."""

    agreed_version: int | None


def associate(
    *,
    attempt: Attempt,
    by: User,
    address: str | None,
    enabling: Enabling | None = None,
    letter: LetterChoice | None = None,
    clock: Callable[[], datetime] = database_now,
) -> Association:
    """Associate the attempt's account with the inviting partner, and all that goes with it.

    In one transaction: the association, the consents with version, moment and network address, the
    enabling of services (`enabling`, needed when they are not enabled yet), the freeze and the
    coupon cut-off (reseller), the authorization (when the letter was agreed to), the audit events,
    the messages, and the use of the invitation. The rules decide again on facts read under the
    account's lock; the moment is the clock's after the locks, and the invitation's row is touched
    last, so that a hot link stays locked only for that statement.

    Repeating it returns the same association and writes nothing. `letter` replaces what was ticked
    on the instructions page. Raises AssociationRefused, AlreadyAssociated, StepUndone, and
    InvitationRefused when the invitation is not live at that moment.
    """
    decide = partial(_associate, attempt, by, address, enabling, letter, clock)
    try:
        try:
            return _in_one_transaction(decide)
        except IntegrityError as error:
            # The last guard: whatever slipped past the locks, the database holds one in force.
            if Association.objects.in_force().filter(account=attempt.account_id).exists():
                raise AlreadyAssociated from error
            # The member who would manage the customer was removed meanwhile. Locking members
            # would make all who join a partner queue; once more, and nobody finds that member.
            return _in_one_transaction(decide)
    except AssociationRefused as refused:
        _keep_refusals(attempt, refused.admission)
        raise


def _in_one_transaction(decide: Callable[[], Association]) -> Association:
    with transaction.atomic():
        return decide()


def _keep_refusals(attempt: Attempt, admission: Admission) -> None:
    """Keep as history what the decision refused for, unless a parallel one has let it join."""
    with transaction.atomic(), suppress(AttemptFinished):
        lock_unfinished(attempt)
        now = admission.decision.decided_at
        keep_refusals(attempt=attempt, codes=admission.refusal_codes, now=now)


def _associate(
    attempt: Attempt,
    by: User,
    address: str | None,
    enabling: Enabling | None,
    letter: LetterChoice | None,
    clock: Callable[[], datetime],
) -> Association:
    locked, is_finished = _lock(attempt, by)
    if is_finished:
        return Association.objects.get(attempt=locked)
    now = clock()
    admission = _decide(locked, now)
    versions = load_versions()
    if letter is not None:
        _choose_letter(locked, letter, versions, address, now)
    consents = _agreed_on_the_way(locked, versions)
    if enabling is not None:
        consents += _agreed_while_enabling(locked, enabling, versions, address, now)
        _enable_services(locked, enabling, by, now)
    recipients = list(partner_recipients(locked.invitation))
    association = _write_association(locked, admission, recipients, now)
    _authorize(association, Consent.objects.bulk_create(consents), by, now)
    if association.is_reseller:
        open_freeze(
            account=association.account,
            cause=FreezeCause.ASSOCIATION,
            scope=FreezeScope.ACCOUNT,
            reason="",
            by=by,
            now=now,
        )
    _record(association, by, now)
    _promise_messages(association, by, recipients, now)
    locked.refusal_codes, locked.decided_at, locked.refused_at = [], now, None
    locked.save(update_fields=[*LETTER_FIELDS, "refusal_codes", "decided_at", "refused_at"])
    use_invitation(invitation=locked.invitation, now=now)
    return association


def _lock(attempt: Attempt, by: User) -> tuple[Attempt, bool]:
    """Lock the attempt, then the account; return the attempt as it is now, and if it is done.

    Whether it is done is asked after its lock is held: nobody else can finish it then.
    """
    locked = (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("invitation__partner")
        .get(pk=attempt.pk)
    )
    done = Association.objects.filter(attempt=locked)
    accounts = CustomerAccount.objects.select_for_update(of=("self",))
    account = accounts.filter(attempts=locked, owner=by).annotate(is_done=Exists(done)).first()
    if account is None:
        raise StepUndone("account")
    account.owner = by
    locked.account = account
    return locked, account.is_done


def _decide(attempt: Attempt, now: datetime) -> Admission:
    """Ask the invitation and every rule again, on what the database holds now."""
    admission = admit(attempt=attempt, now=now)
    if admission.is_already_associated_here:
        raise AlreadyAssociated
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        raise InvitationRefused(refusal)
    if not admission.is_admitted:
        raise AssociationRefused(admission)
    return admission


def _choose_letter(
    attempt: Attempt,
    letter: LetterChoice,
    versions: Versions,
    address: str | None,
    now: datetime,
) -> None:
    """Let the last page's choice replace the earlier one. The letter shown must be in force."""
    if letter.agreed_version is None:
        choose_letter(attempt=attempt, letter_id=None, address=None, now=now)
    elif letter.agreed_version != versions.in_force[LETTER]:
        raise StepUndone("letter")
    elif not versions.is_in_force(attempt.letter_id):
        shown = versions.document_id(LETTER, attempt.language)
        choose_letter(attempt=attempt, letter_id=shown, address=address, now=now)


def _agreed_on_the_way(attempt: Attempt, versions: Versions) -> list[Consent]:
    """Return the consents for what was ticked before. Referral has neither document."""
    if not attempt.invitation.is_reseller:
        return []
    if not versions.is_in_force(attempt.instructions_id):
        raise StepUndone("instructions")
    consents = [
        _consent(
            attempt,
            attempt.instructions_id,
            attempt.instructions_agreed_at,
            attempt.instructions_address,
        )
    ]
    if versions.is_in_force(attempt.letter_id):
        consents.append(
            _consent(attempt, attempt.letter_id, attempt.letter_agreed_at, attempt.letter_address)
        )
    return consents


def _consent(
    attempt: Attempt, document_id: int | None, at: datetime | None, address: str | None
) -> Consent:
    """Return the evidence of one tick; there is none without a document and a moment."""
    if document_id is None or at is None:
        raise StepUndone("instructions")
    return Consent(
        account=attempt.account,
        document_id=document_id,
        attempt=attempt,
        agreed_at=at,
        address=address,
    )


def _agreed_while_enabling(
    attempt: Attempt,
    enabling: Enabling,
    versions: Versions,
    address: str | None,
    now: datetime,
) -> list[Consent]:
    """Return the consents to agreement and privacy statement; they must be those in force."""
    if enabling.agreed_versions != {kind: versions.in_force[kind] for kind in AGREEMENT}:
        raise StepUndone("agreement")
    ids = [versions.document_id(kind, attempt.language) for kind in AGREEMENT]
    return [_consent(attempt, document_id, now, address) for document_id in ids]


def _enable_services(attempt: Attempt, enabling: Enabling, by: User, now: datetime) -> None:
    account = account_of(attempt)
    if account.is_enabled:
        return
    before = {"country": account.country.code, "services_enabled_at": None}
    account.country, account.services_enabled_at = enabling.country, now
    account.save(update_fields=["country", "services_enabled_at"])
    record_event(
        action="account.enabled",
        about=account,
        by=by,
        now=now,
        before=before,
        after={"country": enabling.country, "services_enabled_at": now},
    )


def _write_association(
    attempt: Attempt, admission: Admission, recipients: list[User], now: datetime
) -> Association:
    invitation, account = attempt.invitation, account_of(attempt)
    if not account.is_enabled:
        raise StepUndone("enable")
    return Association.objects.create(
        account=account,
        partner=invitation.partner,
        association_type=invitation.association_type,
        invitation=invitation,
        attempt=attempt,
        manager=_manager_of(invitation, recipients),
        associated_at=now,
        coupons_pay_before=now if invitation.is_reseller else None,
        eligibility=snapshot(admission.decision),
    )


def _manager_of(invitation: Invitation, recipients: list[User]) -> PartnerMember | None:
    """The member who made the invitation looks after its customers, while still a member."""
    for user in recipients:
        if user.pk == invitation.created_by_id:
            return user.partner_member
    return None


def _authorize(association: Association, consents: list[Consent], by: User, now: datetime) -> None:
    """Give the partner its authorization when the letter is among the consents."""
    for consent in consents:
        if consent.document_id == association.attempt.letter_id:
            authorization = Authorization.objects.create(
                association=association, consent=consent, granted_at=now
            )
            record_event(
                action="authorization.granted",
                about=authorization,
                by=by,
                now=now,
                after={"granted_at": now},
            )


def _record(association: Association, by: User, now: datetime) -> None:
    record_event(
        action="association.made",
        about=association,
        by=by,
        now=now,
        after={
            "account": association.account_id,
            "partner": association.partner_id,
            "association_type": association.association_type,
            "invitation": association.invitation_id,
            "ended_at": None,
        },
    )


def _promise_messages(
    association: Association, by: User, recipients: list[User], now: datetime
) -> None:
    """Promise the customer's mail, and for a reseller one to each who hears of it there."""
    outgoing = [
        OutgoingMessage(
            "association.associated", by.email, association, association.attempt.language
        )
    ]
    if association.is_reseller:
        outgoing += [
            OutgoingMessage(
                "association.customer_waiting", member.email, association, member.language
            )
            for member in recipients
        ]
    enqueue_messages(messages=outgoing, now=now)


def end_association(
    *, association: Association, reason: str, by: User | None, now: datetime
) -> Association:
    """End an association: its freezes are lifted, its open authorization is revoked.

    The freeze of an administrator stays. Ending an ended one changes nothing. Locks the account.
    """
    with transaction.atomic():
        account = CustomerAccount.objects.select_for_update().get(pk=association.account_id)
        locked = Association.objects.select_for_update().get(pk=association.pk)
        if locked.ended_at is not None:
            return locked
        locked.ended_at, locked.ended_by, locked.end_reason = now, by, reason
        locked.save(update_fields=["ended_at", "ended_by", "end_reason"])
        record_event(
            action="association.ended",
            about=locked,
            by=by,
            now=now,
            before={"ended_at": None},
            after={"ended_at": now, "end_reason": reason},
        )
        revoke_open_authorization(association=locked, reason=reason, by=by, now=now)
        unfreeze_account(
            account=account, causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
        )
        return locked

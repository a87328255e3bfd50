"""The association itself: one transaction, all or nothing, and its end."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, User
from accounts.services.freezes import close_freezes, open_freeze
from association.enums import DocumentKind, JourneyRefusal, Step
from association.models import Association, Attempt, Authorization, Consent
from association.services.admission import Admission, account_of, admit
from association.services.attempts import (
    LETTER_FIELDS,
    choose_letter,
    find_association,
    keep_refusals,
    lock_attempt,
    lock_unfinished,
)
from association.services.authorizations import revoke_open_authorization
from association.services.customers import ALL_BUT_ADMINISTRATOR
from association.services.documents import Versions, load_versions
from association.services.eligibility import snapshot
from association.services.steps import needs_instructions
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.models import Invitation, PartnerMember
from partners.services.invitation_use import InvitationRefused, use_invitation
from partners.services.members import partner_recipients
from web.fixed_queries import KEY, fixed_query
from web.refused import Refused

LETTER = DocumentKind.LETTER_OF_AUTHORIZATION
AGREEMENT = (DocumentKind.CUSTOMER_AGREEMENT, DocumentKind.PRIVACY_STATEMENT)


def database_now() -> datetime:
    """Return the moment by the database's clock, not by its transaction's beginning.

    Several application servers share one database, so they share its clock. SQLite has none of its
    own: there the process's clock is the same machine's.
    """
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


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
    the e-mails, and the use of the invitation. This is the only decision of the final POST: it
    reads the facts under the account's lock, at the moment that the clock shows after the locks.
    The invitation's row is updated last, so that a hot link is locked for that statement only.

    Repeating it returns the same association and writes nothing. `letter` replaces what was ticked
    on the instructions page. Raises Refused with a JourneyRefusal, and InvitationRefused when the
    invitation is not live at that moment.
    """
    decide = partial(_associate, attempt, by, address, enabling, letter, clock)
    try:
        try:
            return _in_one_transaction(decide)
        except IntegrityError as error:
            # The database has the last word: one association in force per account.
            if Association.objects.in_force().filter(account=attempt.account_id).exists():
                raise Refused(JourneyRefusal.ALREADY_ASSOCIATED) from error
            # The member who would manage the customer was removed meanwhile. Locking members
            # would make all who join a partner queue. The second try does not find that member.
            return _in_one_transaction(decide)
    except Refused as refused:
        if refused.code == JourneyRefusal.NOT_ADMITTED:
            _keep_refusals(attempt, refused.context["admission"])
        raise


def _in_one_transaction(decide: Callable[[], Association]) -> Association:
    with transaction.atomic():
        return decide()


def _keep_refusals(attempt: Attempt, admission: Admission) -> None:
    """Keep as history what the decision refused for, unless a parallel one has let it join."""
    with transaction.atomic(), suppress(Refused):
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
    locked = _lock(attempt, by)
    made = find_association(locked)
    if made is not None:
        return made
    now = clock()
    versions = load_versions()
    admission = _decide(locked, versions, now)
    _require_enabling(account_of(locked), enabling)
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
    _enqueue_emails(association, by, recipients, now)
    locked.refusal_codes, locked.decided_at, locked.refused_at = [], now, None
    locked.save(update_fields=[*LETTER_FIELDS, "refusal_codes", "decided_at", "refused_at"])
    use_invitation(invitation=locked.invitation, now=now)
    return association


def _lock(attempt: Attempt, by: User) -> Attempt:
    """Lock the attempt, then its account, and return the attempt as it is now.

    Its invitation is the caller's: `use_invitation()` decides on that row once more at the end.
    """
    locked = lock_attempt(attempt)
    if locked.account_id is None:
        raise step_undone(Step.ACCOUNT)
    [account] = _locked_accounts.all(locked.account_id)
    if account.owner_id != by.pk:
        raise step_undone(Step.ACCOUNT)
    account.owner = by
    locked.account, locked.invitation = account, attempt.invitation
    return locked


@fixed_query(KEY)
def _locked_accounts(account: int) -> QuerySet[CustomerAccount]:
    return CustomerAccount.objects.select_for_update().filter(pk=account)


def _decide(attempt: Attempt, versions: Versions, now: datetime) -> Admission:
    """Decide as the pages do, in the same order: invitation, instructions, rules."""
    admission = admit(attempt=attempt, now=now)
    if admission.is_already_associated_here:
        raise Refused(JourneyRefusal.ALREADY_ASSOCIATED)
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        raise InvitationRefused(refusal)
    if needs_instructions(attempt, versions):
        raise step_undone(Step.INSTRUCTIONS)
    if not admission.is_admitted:
        raise Refused(JourneyRefusal.NOT_ADMITTED, admission=admission)
    return admission


def _require_enabling(account: CustomerAccount, enabling: Enabling | None) -> None:
    """Services are enabled exactly once: by this click, or before it."""
    if account.is_enabled and enabling is not None:
        raise step_undone(Step.CONFIRM)
    if not account.is_enabled and enabling is None:
        raise step_undone(Step.ENABLE)


def step_undone(step: Step) -> Refused:
    """Return the refusal that leads back to a step which is missing or out of date."""
    return Refused(JourneyRefusal.STEP_UNDONE, step=step)


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
        raise Refused(JourneyRefusal.LETTER_CHANGED)
    elif not versions.is_in_force(attempt.letter_id):
        shown = versions.document_id(LETTER, attempt.language)
        choose_letter(attempt=attempt, letter_id=shown, address=address, now=now)


def _agreed_on_the_way(attempt: Attempt, versions: Versions) -> list[Consent]:
    """Return the consents for what was ticked before. Referral has neither document."""
    if not attempt.invitation.is_reseller:
        return []
    ticks = [
        (
            attempt.instructions_id,
            attempt.instructions_agreed_at,
            attempt.instructions_network_address,
        ),
        (attempt.letter_id, attempt.letter_agreed_at, attempt.letter_network_address),
    ]
    return [
        _consent(attempt, document_id, agreed_at, address)
        for document_id, agreed_at, address in ticks
        if document_id and agreed_at and versions.is_in_force(document_id)
    ]


def _consent(attempt: Attempt, document_id: int, at: datetime, address: str | None) -> Consent:
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
        raise Refused(JourneyRefusal.AGREEMENT_CHANGED)
    ids = [versions.document_id(kind, attempt.language) for kind in AGREEMENT]
    return [_consent(attempt, document_id, now, address) for document_id in ids]


def _enable_services(attempt: Attempt, enabling: Enabling, by: User, now: datetime) -> None:
    account = account_of(attempt)
    before = {"country": account.country.code, "services_enabled_at": None}
    account.country, account.services_enabled_at = enabling.country, now
    account.save(update_fields=["country", "services_enabled_at"])
    record_audit_event(
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
    invitation = attempt.invitation
    return Association.objects.create(
        account=account_of(attempt),
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
            record_audit_event(
                action="authorization.granted",
                about=authorization,
                by=by,
                now=now,
                after={"granted_at": now},
            )


def _record(association: Association, by: User, now: datetime) -> None:
    record_audit_event(
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


def _enqueue_emails(
    association: Association, by: User, recipients: list[User], now: datetime
) -> None:
    """Tell the customer; tell a reseller's recipients that this customer waits for a budget."""
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
        record_audit_event(
            action="association.ended",
            about=locked,
            by=by,
            now=now,
            before={"ended_at": None},
            after={"ended_at": now, "end_reason": reason},
        )
        revoke_open_authorization(association=locked, reason=reason, by=by, now=now)
        close_freezes(
            accounts=[account.pk], causes=ALL_BUT_ADMINISTRATOR, reason=reason, by=by, now=now
        )
        return locked

"""Making an association, in one transaction."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from django.db import IntegrityError, transaction

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import CustomerAccount, User
from accounts.services.freezes import open_freeze
from association.enums import JourneyRefusal, Step
from association.models import Association, Attempt, Authorization, Consent
from association.services.admission import Admission, account_of, admit, needs_instructions
from association.services.attempts import (
    find_association,
    keep_refusals,
    lock_unfinished,
)
from association.services.consents import (
    AGREED_FIELDS,
    Enabling,
    LastPage,
    LetterChoice,
    consents_of,
    tick_on_last_page,
)
from association.services.customer_names import editable_names, fill_names, name_on
from association.services.customer_status import refresh_status
from association.services.documents import PUBLISHING, Agreed, Versions, load_versions
from association.services.eligibility import snapshot
from association.services.events import (
    build_authorization_event,
    build_customer_event,
    build_frozen_event,
)
from audit.services import record_audit_event
from outbox.services.events import publish_many
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import EventKind
from partners.models import Invitation, PartnerMember
from partners.services.invitation_use import InvitationRefused, use_invitation
from partners.services.members import partner_recipients
from partners.services.notifications import messages_to_members
from web.locks import share_name
from web.refused import Refused
from web.transactions import whole_transaction

WAITING_EMAIL = "association.customer_waiting"


def decision_moment() -> datetime:
    """Return the moment by the database's clock; no document is published until the commit."""
    return share_name(PUBLISHING)


def associate(
    *,
    attempt: Attempt,
    by: User,
    address: str | None,
    enabling: Enabling | None = None,
    letter: LetterChoice | None = None,
    instructions: Agreed | None = None,
    clock: Callable[[], datetime] = decision_moment,
) -> Association:
    """Associate the attempt's account with the inviting partner.

    One transaction writes the association, its consents, the enabling of services, the freeze, the
    authorization, the audit events, the events for other systems and the e-mails. It uses the
    invitation last, so that the row of a popular link is locked only for a moment. The facts are
    read under the account's lock, at the moment that `clock` returns then.

    `enabling` is needed when services are not enabled yet. `letter` and `instructions` are what the
    last page asked for; they replace what was ticked before. Without `instructions` the account
    must have ticked them itself. Repeating it returns the same association and writes nothing.
    Raises Refused with a JourneyRefusal, and InvitationRefused when the invitation is not live.
    """
    last_page = LastPage(address, enabling, letter, instructions)
    decide = partial(_associate, attempt, by, last_page, clock)
    try:
        try:
            return decide()
        except IntegrityError as error:
            # The database has the last word: one association in force per account.
            if Association.objects.in_force().filter(account=attempt.account_id).exists():
                raise Refused(JourneyRefusal.ALREADY_ASSOCIATED) from error
            # The member who would manage the customer was removed meanwhile, and the second try
            # does not find that member. A lock on members would make customers wait.
            return decide()
    except Refused as refused:
        if refused.code == JourneyRefusal.NOT_ADMITTED:
            _keep_refusals(attempt, refused.context["admission"])
        raise


@whole_transaction
def _keep_refusals(attempt: Attempt, admission: Admission) -> None:
    # A parallel request may have associated the account.
    with transaction.atomic(), suppress(Refused):
        lock_unfinished(attempt)
        now = admission.decision.decided_at
        keep_refusals(attempt=attempt, codes=admission.refusal_codes, now=now)


@whole_transaction
@transaction.atomic
def _associate(
    attempt: Attempt, by: User, last_page: LastPage, clock: Callable[[], datetime]
) -> Association:
    locked = _lock(attempt, by)
    made = find_association(locked)
    if made is not None:
        return made
    now = clock()
    versions = load_versions()
    admission = _decide(locked, versions, now)
    is_enabled, enabling = account_of(locked).is_enabled, last_page.enabling
    if is_enabled != (enabling is None):
        raise step_undone(Step.CONFIRM if is_enabled else Step.ENABLE)
    tick_on_last_page(attempt=locked, by=by, page=last_page, versions=versions, now=now)
    consents = consents_of(attempt=locked, page=last_page, versions=versions, now=now)
    if enabling is not None:
        _enable_services(locked, enabling, by, now)
    recipients = list(partner_recipients(locked.invitation, WAITING_EMAIL))
    association = _write_association(locked, admission, recipients, now)
    events = [build_customer_event(EventKind.ASSOCIATION_CREATED, association, association)]
    authorized = _authorize(association, Consent.objects.bulk_create(consents), by, now)
    if association.is_reseller:
        # Which also writes the association's status.
        freeze = open_freeze(
            account=association.account,
            cause=FreezeCause.ASSOCIATION,
            scope=FreezeScope.ACCOUNT,
            reason="",
            by=by,
            now=now,
        )
        events.append(build_frozen_event(freeze, association.account, association))
    else:
        refresh_status([association.account_id])
    events += [build_authorization_event(row, association) for row in authorized]
    publish_many(events=events, now=now)
    _record(association, by, now)
    _enqueue_emails(association, by, recipients, now)
    locked.refusal_codes, locked.decided_at, locked.refused_at = [], now, None
    locked.associated_at = association.associated_at
    decided = ["refusal_codes", "decided_at", "refused_at", "associated_at"]
    locked.save(update_fields=[*AGREED_FIELDS, *decided])
    use_invitation(invitation=locked.invitation, now=now)
    return association


def _lock(attempt: Attempt, by: User) -> Attempt:
    """Lock the attempt, its account and the owner; return the attempt as it is now.

    The invitation is not read again: `use_invitation()` decides on its row at the end.
    """
    locked = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if locked.account_id is None:
        raise step_undone(Step.ACCOUNT)
    account = CustomerAccount.objects.select_for_update().get(pk=locked.account_id)
    # As it is now: an erasure that was waited for has deactivated the owner. Locked, because a new
    # account name has to find the association that is made with the present one.
    owners = User.objects.select_for_update(no_key=True).filter(pk=account.owner_id, is_active=True)
    owner = owners.first()
    if owner is None or owner.pk != by.pk:
        raise step_undone(Step.ACCOUNT)
    account.owner = owner
    locked.account, locked.invitation = account, attempt.invitation
    return locked


def _decide(attempt: Attempt, versions: Versions, now: datetime) -> Admission:
    admission = admit(attempt=attempt, now=now)
    if admission.is_already_associated_here:
        raise Refused(JourneyRefusal.ALREADY_ASSOCIATED)
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        raise InvitationRefused(refusal)
    if needs_instructions(attempt, versions):
        raise step_undone(Step.INSTRUCTIONS)
    if not admission.is_admitted:
        reasons = admission.refusal_codes
        raise Refused(JourneyRefusal.NOT_ADMITTED, admission=admission, reasons=reasons)
    return admission


def step_undone(step: Step) -> Refused:
    """Return the refusal that leads back to a step."""
    return Refused(JourneyRefusal.STEP_UNDONE, step=step)


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
    association = Association(
        account=account_of(attempt),
        partner=invitation.partner,
        association_type=invitation.association_type,
        invitation=invitation,
        attempt=attempt,
        manager=_manager_of(invitation, recipients),
        associated_at=now,
        coupons_pay_before=now if invitation.is_reseller else None,
        eligibility=snapshot(admission.decision),
        customer_name=name_on(invitation),
        reference=invitation.reference,
    )
    fill_names(association)
    association.save(force_insert=True)
    return association


def _manager_of(invitation: Invitation, recipients: list[User]) -> PartnerMember | None:
    """Return the member who made the invitation, while still a member."""
    made_by = (user for user in recipients if user.pk == invitation.created_by_id)
    return next((user.partner_member for user in made_by), None)


def _authorize(
    association: Association, consents: list[Consent], by: User, now: datetime
) -> list[Authorization]:
    authorized = []
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
            authorized.append(authorization)
    return authorized


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
            **editable_names(association),
            "ended_at": None,
        },
    )


def _enqueue_emails(
    association: Association, by: User, recipients: list[User], now: datetime
) -> None:
    language = association.attempt.language
    outgoing = [OutgoingMessage("association.associated", by.email, association, language)]
    if association.is_reseller:
        outgoing += messages_to_members(WAITING_EMAIL, association, recipients, now=now)
    enqueue_messages(messages=outgoing, now=now)

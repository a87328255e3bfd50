"""Whether an account may follow an invitation, and which step of the journey is next."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import CustomerAccount
from association.enums import MAY_END_TOO_LATE, RefusalCode, Step
from association.models import Attempt
from association.services.documents import Versions
from association.services.eligibility import Decision, evaluate
from association.services.facts import AccountRecord, is_registered_by_invitation, load_record
from partners.enums import Channel

FINAL_STEPS = frozenset({Step.ENABLE, Step.CONFIRM})


@dataclass(frozen=True, slots=True)
class Admission:
    """A decision about an account at one moment."""

    record: AccountRecord
    decision: Decision
    invitation_refusals: tuple[RefusalCode, ...]

    @property
    def refusal_codes(self) -> list[str]:
        """The codes of all refusals, those between invitation and account first."""
        return [*self.invitation_refusals, *(refusal.code for refusal in self.decision.refusals)]

    @property
    def is_admitted(self) -> bool:
        return not self.refusal_codes

    @property
    def is_already_associated_here(self) -> bool:
        record = self.record
        return record.partner is not None and not record.facts.associated_with_other_partner


def account_of(attempt: Attempt) -> CustomerAccount:
    """Return the attempt's account; raise ValueError when there is none yet."""
    if attempt.account is None:
        raise ValueError("The attempt has no account yet.")
    return attempt.account


def admit(*, attempt: Attempt, now: datetime) -> Admission:
    """Decide on fresh facts. The attempt must have its account."""
    partner = attempt.invitation.partner
    record = load_record(account=account_of(attempt), partner=partner, now=now)
    return admit_by_record(attempt=attempt, record=record, now=now)


def admit_by_record(*, attempt: Attempt, record: AccountRecord, now: datetime) -> Admission:
    """Decide on the record of the attempt's account, loaded for the attempt's partner.

    Without a partner now, the record of an account is the same for every partner.
    """
    return Admission(
        record=record,
        decision=evaluate(record.facts, attempt.invitation.association_type, now),
        invitation_refusals=_invitation_refusals(attempt, record),
    )


def refusals_ending_too_late(attempt: Attempt, now: datetime) -> frozenset[RefusalCode]:
    """Return the refusals of the attempt that outlast the time to join, so that waiting is in vain.

    No statement where none of the attempt's refusals can end by itself.
    """
    if attempt.account is None or MAY_END_TOO_LATE.isdisjoint(attempt.refusal_codes):
        return frozenset()
    return admit(attempt=attempt, now=now).decision.ending_too_late


def _invitation_refusals(attempt: Attempt, record: AccountRecord) -> tuple[RefusalCode, ...]:
    invitation = attempt.invitation
    if invitation.is_bound and account_of(attempt).owner.email != invitation.recipient:
        return (RefusalCode.WRONG_RECIPIENT,)
    if invitation.channel == Channel.LINK and (
        record.was_ever_associated or not is_registered_by_invitation(account_of(attempt))
    ):
        return (RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED,)
    if not invitation.allows_address(account_of(attempt).owner.email):
        return (RefusalCode.EMAIL_DOMAIN_NOT_ALLOWED,)
    return ()


def may_use_link(account: CustomerAccount) -> bool:
    """Whether a link, which is for new accounts, would be for this one too."""
    return is_registered_by_invitation(account) and not account.associations.exists()


def needs_instructions(attempt: Attempt, versions: Versions) -> bool:
    """Whether the visitor has to read and agree to the instructions in force; referral has none.

    The page is not shown again where the last page asks for the agreement.
    """
    if not attempt.invitation.is_reseller or attempt.agrees_at_the_end:
        return False
    if attempt.instructions_id is None and attempt.is_restarted:
        return False
    return not versions.is_in_force(attempt.instructions_id)


def first_undone_step(attempt: Attempt, versions: Versions, admission: Admission | None) -> Step:
    """Return the next step of the visitor; `admission` is None without an account."""
    if needs_instructions(attempt, versions):
        return Step.INSTRUCTIONS
    if admission is None:
        return Step.ACCOUNT
    if not admission.is_admitted:
        return Step.CHECK
    return Step.CONFIRM if account_of(attempt).is_enabled else Step.ENABLE


def is_open(step: Step, *, undone: Step, posted: bool) -> bool:
    """Whether a step's page may be used while `undone` is the first undone step.

    The instructions can always be read again. A final POST that a rule refuses is let through, to
    be answered with the refusals; so is checking again.
    """
    match step:
        case Step.INSTRUCTIONS:
            return True
        case Step.SWITCH:
            return posted and undone != Step.ACCOUNT
        case Step.REGISTER:
            return undone == Step.ACCOUNT
        case Step.ASK:
            return undone in {Step.ACCOUNT, Step.CHECK}
        case Step.CHECK:
            return undone == Step.CHECK or (posted and undone in FINAL_STEPS)
        case Step.ENABLE | Step.CONFIRM:
            return undone == step or (posted and undone == Step.CHECK)
    return undone == step

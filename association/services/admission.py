"""Whether an account may follow an invitation: the account's rules, and those between the two."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import CustomerAccount
from association.enums import RefusalCode
from association.models import Attempt
from association.services.eligibility import Decision, evaluate
from association.services.facts import AccountRecord, is_registered_by_invitation, load_record
from partners.enums import Channel


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
    invitation = attempt.invitation
    record = load_record(account=account_of(attempt), partner=invitation.partner, now=now)
    return Admission(
        record=record,
        decision=evaluate(record.facts, invitation.association_type, now),
        invitation_refusals=_invitation_refusals(attempt, record),
    )


def _invitation_refusals(attempt: Attempt, record: AccountRecord) -> tuple[RefusalCode, ...]:
    invitation = attempt.invitation
    if invitation.is_bound and account_of(attempt).owner.email != invitation.recipient:
        return (RefusalCode.WRONG_RECIPIENT,)
    if invitation.channel == Channel.LINK and (
        record.was_ever_associated or not is_registered_by_invitation(account_of(attempt))
    ):
        return (RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED,)
    return ()

"""What the rules say of any account and partner, without an invitation; consumes nothing."""

from dataclasses import dataclass
from datetime import datetime

from accounts.enums import StopReason
from accounts.models import CustomerAccount
from association.enums import RefusalCode
from association.models import Association
from association.services.eligibility import Decision, evaluate
from association.services.facts import load_record
from partners.models import Partner


@dataclass(frozen=True, slots=True)
class Preview:
    """The decision about the account, and what keeps it from joining beside the rules."""

    decision: Decision
    # The account's association with this partner, if it is its customer already.
    present: Association | None
    obstacles: tuple[RefusalCode | StopReason, ...]

    @property
    def may_join(self) -> bool:
        return self.decision.is_eligible and self.present is None and not self.obstacles


def preview_eligibility(
    *, account: CustomerAccount, partner: Partner, association_type: str, now: datetime
) -> Preview:
    """Decide as if the account followed an invitation of the partner. Only reads."""
    record = load_record(account=account, partner=partner, now=now)
    obstacles: list[RefusalCode | StopReason] = []
    if not partner.allows(association_type):
        obstacles.append(RefusalCode.TYPE_NOT_ALLOWED)
    if partner.is_frozen:
        obstacles.append(RefusalCode.PARTNER_UNAVAILABLE)
    if not account.owner.is_active:
        # Only its owner, signed in, can associate an account.
        obstacles.append(StopReason.OWNER_DEACTIVATED)
    present = None
    if record.partner == partner:
        present = account.associations.in_force().filter(partner=partner).first()
    return Preview(evaluate(record.facts, association_type, now), present, tuple(obstacles))

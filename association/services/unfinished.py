"""Attempts that are not finished: the one a log-in goes on with, and those that are refused."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from association.models import Association, Attempt
from association.services.admission import account_of, admit_by_record
from association.services.facts import load_record
from partners.models import Invitation

# So many of an account's newest attempts are read.
MOST_READ = 20
# So many notices of refused ones are shown.
MOST_REFUSED = 5


@dataclass(slots=True)
class Unfinished:
    """`open` is the newest attempt that can be finished now; `refused` are those that cannot."""

    open: Attempt | None = None
    refused: list[Attempt] = field(default_factory=list)


def find_unfinished(owner: User, now: datetime) -> Unfinished:
    """Decide on fresh facts about the newest attempt of each live invitation.

    Only the 20 newest attempts (MOST_READ) are looked at, those whose notice was dismissed left
    out; of the refused ones the five newest (MOST_REFUSED) are returned. There is none while the
    account is associated. The account's record is read once for all of them.
    """
    found, attempts = Unfinished(), _newest_of_each_invitation(owner, now)
    if not attempts:
        return found
    account, partner = account_of(attempts[0]), attempts[0].invitation.partner
    record = load_record(account=account, partner=partner, now=now)
    if record.partner is not None:
        return found
    for attempt in attempts:
        if not admit_by_record(attempt=attempt, record=record, now=now).is_admitted:
            found.refused.append(attempt)
        elif found.open is None:
            found.open = attempt
    del found.refused[MOST_REFUSED:]
    return found


def _newest_of_each_invitation(owner: User, now: datetime) -> list[Attempt]:
    """Return attempts of the account, the latest entered first; an account has one owner."""
    attempts = (
        Attempt.objects.filter(account__owner=owner, dismissed_at__isnull=True)
        .filter(invitation__in=Invitation.objects.live(now), association__isnull=True)
        .exclude(account__in=Association.objects.in_force().values("account"))
        .select_related("invitation__partner", "account__owner")
        .order_by("-entered_at", "-pk")
    )
    newest: dict[int, Attempt] = {}
    for attempt in attempts[:MOST_READ]:
        newest.setdefault(attempt.invitation_id, attempt)
    return list(newest.values())


def dismiss_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Show no notice about this account's attempts of this invitation any more.

    A new decision about one, when its owner uses it again, brings it back. Repeating it changes
    nothing.
    """
    same = Attempt.objects.filter(account=attempt.account, invitation=attempt.invitation_id)
    same.filter(dismissed_at__isnull=True, association__isnull=True).update(dismissed_at=now)

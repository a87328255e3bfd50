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
    """Decide on fresh facts about the account's attempts of live invitations.

    Only the 20 newest (MOST_READ) are looked at. Of the refused ones, the newest of each invitation
    is returned, five at most (MOST_REFUSED), without those whose notice was dismissed. There is
    none while the account is associated. The account's record is read once for all of them.
    """
    attempts = _newest_attempts(owner, now)
    if not attempts:
        return Unfinished()
    account, partner = account_of(attempts[0]), attempts[0].invitation.partner
    record = load_record(account=account, partner=partner, now=now)
    if record.partner is not None:
        return Unfinished()
    newest, refused = None, dict[int, Attempt]()
    for attempt in attempts:
        if admit_by_record(attempt=attempt, record=record, now=now).is_admitted:
            newest = newest or attempt
        elif attempt.dismissed_at is None:
            refused.setdefault(attempt.invitation_id, attempt)
    return Unfinished(newest, list(refused.values())[:MOST_REFUSED])


def _newest_attempts(owner: User, now: datetime) -> list[Attempt]:
    """Return attempts of the account, the latest entered first; an account has one owner."""
    attempts = (
        Attempt.objects.filter(account__owner=owner, association__isnull=True)
        .filter(invitation__in=Invitation.objects.live(now))
        .exclude(account__in=Association.objects.in_force().values("account"))
        .select_related("invitation__partner", "account__owner")
        .order_by("-entered_at", "-pk")
    )
    return list(attempts[:MOST_READ])


def dismiss_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Show no notice about this account's attempts of this invitation while they are refused.

    One that can be finished is gone on with all the same. A new decision about one, when its owner
    uses it again, brings its notice back. Repeating it changes nothing.
    """
    same = Attempt.objects.filter(account=attempt.account, invitation=attempt.invitation_id)
    same.filter(dismissed_at__isnull=True, association__isnull=True).update(dismissed_at=now)

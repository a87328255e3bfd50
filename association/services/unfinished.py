"""Attempts that are not finished: the one a log-in goes on with, and those that are refused."""

from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from association.models import Association, Attempt
from association.services.admission import admit
from partners.models import Invitation

# Of so many invitations the newest attempts are looked at: each costs the account's record.
_MOST = 5


@dataclass(slots=True)
class Unfinished:
    """`open` is the newest attempt that can be finished now; `refused` are those that cannot."""

    open: Attempt | None = None
    refused: list[Attempt] = field(default_factory=list)


def find_unfinished(owner: User, now: datetime) -> Unfinished:
    """Decide on fresh facts about the newest attempt of each live invitation.

    There is none while the account is associated; those whose notice was dismissed are left out.
    """
    found = Unfinished()
    attempts = (
        Attempt.objects.filter(account__owner=owner, dismissed_at__isnull=True)
        .filter(invitation__in=Invitation.objects.live(now), association__isnull=True)
        .exclude(account__in=Association.objects.in_force().values("account"))
        .select_related("invitation__partner", "account__owner")
        .order_by("-entered_at", "-pk")
    )
    newest = {attempt.invitation_id: attempt for attempt in reversed(attempts[: 4 * _MOST])}
    for attempt in sorted(newest.values(), key=_entered, reverse=True)[:_MOST]:
        if not admit(attempt=attempt, now=now).is_admitted:
            found.refused.append(attempt)
        elif found.open is None:
            found.open = attempt
    return found


def _entered(attempt: Attempt) -> datetime:
    return attempt.entered_at or attempt.started_at


def dismiss_attempt(*, attempt: Attempt, now: datetime) -> None:
    """Show no notice about this account's attempts of this invitation any more.

    A new decision about one, when its owner uses it again, brings it back. Repeating it changes
    nothing.
    """
    same = Attempt.objects.filter(account=attempt.account, invitation=attempt.invitation_id)
    same.filter(dismissed_at__isnull=True, association__isnull=True).update(dismissed_at=now)

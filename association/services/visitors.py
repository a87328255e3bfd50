"""A returning visitor's attempt and association."""

from datetime import datetime

from accounts.models import User
from association.models import Association, Attempt
from partners.models import Invitation


def find_own_attempt(
    *, invitation: Invitation, owner: User | None, browser_hash: str | None
) -> Attempt | None:
    """Return the visitor's newest attempt of this invitation, or None.

    It is found by the signed-in `owner`, else by the browser while it has no account yet.
    """
    attempts = invitation.attempts.select_related("account", "association").order_by("-started_at")
    if owner is not None:
        own = attempts.filter(account__owner=owner).first()
        if own is not None:
            return own
    if browser_hash is None:
        return None
    return attempts.filter(browser_hash=browser_hash, account__isnull=True).first()


def find_own_association(owner: User) -> Association | None:
    """Return the association in force of this user's account, with its partner, or None."""
    return (
        Association.objects.in_force()
        .select_related("partner", "account")
        .filter(account__owner=owner)
        .first()
    )


def find_open_attempt(owner: User, now: datetime) -> Attempt | None:
    """Return the newest attempt that this user's account can finish, or None."""
    return (
        Attempt.objects.filter(account__owner=owner, invitation__in=Invitation.objects.live(now))
        .exclude(account__in=Association.objects.in_force().values("account"))
        .filter(association__isnull=True)
        .order_by("-entered_at")
        .first()
    )

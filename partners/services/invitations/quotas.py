"""How many invitations a partner, and all partners together, may make and mail within a day.

Counted from the rows of the last 24 hours, without those that have been used: whoever invites
people who come may go on. What running batches have yet to make counts as made.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import OutboxMessage, User
from accounts.services.locks import lock_name
from partners.enums import Channel, InvitationProblem
from partners.models import Invitation, InvitationBatch, Partner
from partners.services.invitations.terms import InvitationNotSaved
from partners.services.pages import CountOf

DAY = timedelta(days=1)
# Nobody counts for all partners, and waits for them, while at least this much of the site's quota
# is left, and half of it.
ROOM = 20_000
_LOCK = "partners.quota"


class QuotaReached(InvitationNotSaved):
    """So many cannot be made or mailed now; `until` is the first moment at which they can."""

    def __init__(self, until: datetime) -> None:
        super().__init__(InvitationProblem.QUOTA_REACHED, again_at=until)
        self.until = until


@dataclass(frozen=True, slots=True)
class _Quota:
    """What is counted: the invitations by one of their moments, and what batches will add.

    `written` is the table in which each leaves at least one row, in the order of time.
    """

    moment: str
    rows: QuerySet[Invitation]
    running: QuerySet[InvitationBatch]
    written: type[Invitation] | type[OutboxMessage]
    of_partner: int
    of_all: int


def check_quotas(
    *, partner: Partner, by: User | None, now: datetime, made: int = 0, mailed: int = 0
) -> None:
    """Raise QuotaReached unless so many more may be made, and mailed, by the partner now.

    Exact: holds the partner's lock until the transaction ends, and near the site's quota a lock
    for all partners. Call it inside the transaction that makes them, or starts the batch that will;
    no lock by name is taken after it but the recipients'. One statement each for made and for
    mailed when far from the site's quota. Commands (`by=None`) are the provider's: they have none.
    """
    if by is None:
        return
    lock_name(f"{_LOCK}:{partner.pk}")
    if made:
        _check(_quota_of_made(now), partner, made, now)
    if mailed:
        _check(_quota_of_mailed(now), partner, mailed, now)


def _quota_of_made(now: datetime) -> _Quota:
    return _Quota(
        moment="created_at",
        rows=_counted().filter(created_at__gt=now - DAY),
        running=InvitationBatch.objects.running(),
        written=Invitation,
        of_partner=settings.PARTNER_DAILY_INVITATIONS,
        of_all=settings.DAILY_INVITATIONS,
    )


def _quota_of_mailed(now: datetime) -> _Quota:
    return _Quota(
        moment="mailed_at",
        rows=_counted().filter(mailed_at__gt=now - DAY),
        running=InvitationBatch.objects.running().filter(channel=Channel.EMAIL),
        written=OutboxMessage,
        of_partner=settings.PARTNER_DAILY_MAILS,
        of_all=settings.DAILY_MAILS,
    )


def _counted() -> QuerySet[Invitation]:
    return Invitation.objects.filter(used_count=0, created_by__isnull=False)


def _check(quota: _Quota, partner: Partner, wanted: int, now: datetime) -> None:
    """Ask both quotas in one statement; when the site's is near, once more under its lock."""
    own, running = quota.rows.filter(partner=partner), quota.running.filter(partner=partner)
    far = max(0, min(quota.of_all // 2, quota.of_all - ROOM)) // 2
    [(made, own_to_come, to_come, far_back)] = Partner.objects.filter(pk=partner.pk).values_list(
        CountOf(own.values("pk")[: max(1, quota.of_partner)]),
        _to_come(running),
        _to_come(quota.running),
        _moment_of_row(quota.written, far),
    )
    _refuse_above(quota.of_partner, own, quota.moment, wanted, (made, own_to_come), now)
    if to_come + wanted > far or (far_back is not None and far_back > now - DAY):
        lock_name(f"{_LOCK}:all")
        [counts] = Partner.objects.filter(pk=partner.pk).values_list(
            CountOf(quota.rows.values("pk")[: max(1, quota.of_all)]), _to_come(quota.running)
        )
        _refuse_above(quota.of_all, quota.rows, quota.moment, wanted, counts, now)


def _moment_of_row(model: type[Invitation] | type[OutboxMessage], back: int) -> Subquery:
    """Return when the row so far behind the newest was made: by its key, without counting."""
    newest = Subquery(model._base_manager.order_by("-pk").values("pk")[:1])
    rows = model._base_manager.filter(pk__lte=newest - Value(back))
    return Subquery(rows.order_by("-pk").values("created_at")[:1])


def _to_come(batches: QuerySet[InvitationBatch]) -> Coalesce:
    left = batches.order_by().values(one=Value(1)).annotate(left=Sum(F("size") - F("done_count")))
    return Coalesce(Subquery(left.values("left")), Value(0))


def _refuse_above(
    most: int,
    rows: QuerySet[Invitation],
    moment: str,
    wanted: int,
    counts: tuple[int, ...],
    now: datetime,
) -> None:
    """Raise QuotaReached if there are too many; until enough of the rows are a day old."""
    made, to_come = counts
    if made + to_come + wanted <= most:
        return
    kept = most - to_come - wanted
    newest = rows.order_by(f"-{moment}").values_list(moment, flat=True)
    first_to_go = None if kept < 0 else newest[kept : kept + 1].first()
    raise QuotaReached((first_to_go or now) + DAY)

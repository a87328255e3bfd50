"""How members want to be told: the only place that decides who of them gets an e-mail at once."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage
from partners.enums import MemberRefusal, NotificationDelivery, NotificationKind
from partners.models import DigestEntry, NotificationChoice, PartnerMember
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

# Where the partner is.
DIGEST_HOUR = 7


def with_choice(members: QuerySet[User], email_kind: str) -> QuerySet[User]:
    """Add `notification` to users with a `partner_member`: how each wants e-mails of this kind."""
    kind = choosable(email_kind)
    if kind is None:
        return members.annotate(notification=Value(NotificationDelivery.EACH.value))
    choices = NotificationChoice.objects.filter(member=OuterRef("partner_member__pk"), kind=kind)
    return members.annotate(
        notification=Coalesce(
            Subquery(choices.values("delivery")), Value(NotificationDelivery.EACH.value)
        )
    )


def choosable(email_kind: str) -> NotificationKind | None:
    """Return what members choose about this kind of e-mail; None if it is always sent."""
    name = email_kind.rpartition(".")[2]
    return NotificationKind(name) if name in NotificationKind.values else None


def messages_to_members(
    email_kind: str,
    about: models.Model,
    members: Iterable[Any],
    *,
    now: datetime,
    data: Mapping[str, Any] | None = None,
    is_duty: bool = False,
) -> list[OutgoingMessage]:
    """Return the e-mails to send at once; what a member reads in the digest is noted.

    `members` are users of `with_choice()`. Of a duty each is told at once. Call it in the
    transaction of the action.
    """
    members = list(members)
    kind = None if is_duty else choosable(email_kind)
    if kind is not None:
        _note(kind, members, now)
    return [
        OutgoingMessage(
            email_kind,
            user.email,
            about,
            user.language,
            data or {},
            partner_id=user.partner_member.partner_id,
        )
        for user in members
        if kind is None or user.notification == NotificationDelivery.EACH
    ]


def _note(kind: NotificationKind, users: list[Any], now: datetime) -> None:
    daily = [user for user in users if user.notification == NotificationDelivery.DAILY]
    if not daily:
        return
    members = PartnerMember.objects.select_related("partner").filter(user__in=daily)
    DigestEntry.objects.bulk_create(
        DigestEntry(member=member, kind=kind, due_at=next_digest(member.partner.zone, now))
        for member in members
    )


def next_digest(zone: ZoneInfo, now: datetime) -> datetime:
    """Return the first moment after this one at which digests are sent in the zone, in UTC."""
    local = now.astimezone(zone)
    at_hour = local.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0, fold=0)
    if at_hour <= local:
        at_hour += timedelta(days=1)
    return at_hour.astimezone(UTC)


def choices_of(member: PartnerMember) -> dict[str, str]:
    """Return how the member wants each kind; one statement."""
    chosen = dict(member.notification_choices.values_list("kind", "delivery"))
    return {kind: chosen.get(kind, NotificationDelivery.EACH.value) for kind in NotificationKind}


@whole_transaction
def choose_notifications(
    *,
    member: PartnerMember,
    choices: Mapping[str, str],
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> None:
    """Store how the member wants each of these kinds, with one audit event of what changes.

    What waits for the next digest stays in it. Raises Refused for a member who was removed, and
    ChangedMeanwhile if the version is not that of `choices_of()`.
    """
    with transaction.atomic():
        locked = PartnerMember.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
        if locked is None:
            raise Refused(MemberRefusal.NO_LONGER_MEMBER)
        before = choices_of(locked)
        changed = [kind for kind, delivery in choices.items() if before[kind] != delivery]
        if not changed:
            return
        check_shown(shown_version, before, about=locked)
        for kind in changed:
            NotificationChoice.objects.update_or_create(
                member=locked, kind=kind, defaults={"delivery": choices[kind], "chosen_at": now}
            )
        record_audit_event(
            action="partner_member.notifications_changed",
            about=locked,
            by=by,
            now=now,
            before={kind: before[kind] for kind in changed},
            after={kind: str(choices[kind]) for kind in changed},
        )

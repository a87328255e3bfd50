"""Adding, changing and removing partner members; a partner keeps at least one administrator.

Each act locks the partner's row first, so that of two administrators who demote each other at the
same moment one stays. What a member may do is read at every request: it ends with the commit.
"""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import AuditEvent, User
from accounts.services.audit import record_copies, record_event
from partners.enums import MemberProblem, PartnerRole
from partners.models import Partner, PartnerMember
from partners.services.members.terms import (
    MemberRefused,
    hindrance_of,
    lock_account_of,
    lock_member,
    lock_members,
)

# The trail knows by its end that the row is gone.
REMOVED = "partner_member.deleted"
_FIELDS = ("role", "may_see_addresses")


def add_member(
    *,
    partner: Partner,
    user: User,
    role: str,
    may_see_addresses: bool = False,
    by: User,
    now: datetime,
) -> PartnerMember:
    """Let the user act for the partner. One audit event.

    Raises MemberRefused when the user acts for a partner already or is a partner's customer.
    """
    member = PartnerMember(
        partner=partner, user=user, role=role, may_see_addresses=may_see_addresses
    )
    try:
        with transaction.atomic():
            lock_account_of(user)
            hindrance = hindrance_of(user)
            if hindrance is not None:
                raise MemberRefused(hindrance)
            member.save(force_insert=True)
            after = {"partner": partner.pk, "user": user.pk, **_terms(member)}
            record_event(action="partner_member.added", about=member, by=by, now=now, after=after)
    except IntegrityError as error:
        raise MemberRefused(MemberProblem.ACTS_FOR_A_PARTNER) from error
    return member


def change_member(
    *, member: PartnerMember, role: str, may_see_addresses: bool, by: User, now: datetime
) -> PartnerMember:
    """Give the member this role and this right. One audit event; none when nothing changes.

    Raises MemberRefused when the member is the last administrator and would be no more, or was
    removed meanwhile.
    """
    with transaction.atomic():
        lock_members(member.partner_id)
        locked = PartnerMember.objects.filter(pk=member.pk).first()
        if locked is None:
            raise MemberRefused(MemberProblem.NO_LONGER_MEMBER)
        before = _terms(locked)
        after = {"role": str(role), "may_see_addresses": may_see_addresses}
        if before == after:
            return locked
        if role != PartnerRole.ADMINISTRATOR:
            _keep_an_administrator(locked)
        locked.role, locked.may_see_addresses = role, may_see_addresses
        locked.save(update_fields=_FIELDS)
        record_event(
            action="partner_member.changed",
            about=locked,
            by=by,
            now=now,
            before={name: value for name, value in before.items() if value != after[name]},
            after={name: value for name, value in after.items() if value != before[name]},
        )
    return locked


def remove_member(*, member: PartnerMember, by: User, now: datetime) -> None:
    """End the membership; a second time does nothing.

    The customers stay the partner's, without a manager: one audit event each, and one for the
    member. Raises MemberRefused when the member is the last administrator.
    """
    with transaction.atomic():
        lock_members(member.partner_id)
        # Whoever makes the member a manager locks it too: then no customer comes in between.
        locked = lock_member(member.pk)
        if locked is None:
            return
        _keep_an_administrator(locked)
        _leave_customers(locked, by, now)
        record_event(
            action=REMOVED,
            about=locked,
            by=by,
            now=now,
            before={"partner": locked.partner_id, "user": locked.user_id, **_terms(locked)},
        )
        locked.delete()


def was_removed(*, partner: Partner, member_id: int) -> bool:
    """Whether this was a member of the partner, who has been removed: the second of two clicks."""
    removals = AuditEvent.objects.filter(
        object_label=PartnerMember._meta.label_lower,
        object_id=str(member_id),
        action=REMOVED,
        before__partner=partner.pk,
    )
    return removals.exists()


def _keep_an_administrator(member: PartnerMember) -> None:
    """Raise MemberRefused if the partner would have no administrator without this one.

    Call it under `lock_members()`.
    """
    if not member.is_administrator:
        return
    administrators = PartnerMember.objects.filter(
        partner=member.partner_id, role=PartnerRole.ADMINISTRATOR
    )
    if not administrators.exclude(pk=member.pk).exists():
        raise MemberRefused(MemberProblem.LAST_ADMINISTRATOR)


def _terms(member: PartnerMember) -> dict[str, Any]:
    return {"role": str(member.role), "may_see_addresses": member.may_see_addresses}


def _leave_customers(member: PartnerMember, by: User, now: datetime) -> None:
    """Take the member's name off the customers, each with its event."""
    customers = list(member.customers.select_for_update().only("pk").order_by("pk"))
    if not customers:
        return
    event = record_event(
        action="association.manager_changed",
        about=customers[0],
        by=by,
        now=now,
        before={"manager": member.pk},
        after={"manager": None},
    )
    others = {customer.pk: {"manager": None} for customer in customers[1:]}
    if others:
        record_copies(of=event, objects=others)
    member.customers.update(manager=None)

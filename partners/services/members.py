"""Partner members: who they are; adding, changing and removing them.

Each action locks the partner's row first, so of two administrators who demote each other at once
one stays. What a member may do is read at every request.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import CustomerAccount, User
from accounts.services.administration import keep_idle_limit
from audit.services import given_reason, record_audit_event, record_audit_events
from partners.enums import MemberRefusal, PartnerRole
from partners.models import Invitation, MemberInvitation, Partner, PartnerMember
from partners.services.notifications import with_choice
from partners.services.pages import COUNTED, CountOf
from web.fixed_queries import KEY, fixed_query
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

_FIELDS = ("role", "may_see_addresses")


def find_member(*, user: User | AnonymousUser) -> PartnerMember | None:
    """Return the user's membership with its partner, in one query; None for everyone else."""
    members = PartnerMember.objects.select_related("partner", "user")
    return members.filter(user=user.pk).first()


def is_member(user_id: int) -> bool:
    """Return whether the user acts for any partner."""
    return bool(_memberships.all(user_id))


@fixed_query(KEY)
def _memberships(user_id: int) -> QuerySet[Any, tuple[int]]:
    return PartnerMember.objects.filter(user=user_id).values_list("pk")


def partner_recipients(invitation: Invitation, email_kind: str) -> QuerySet[User]:
    """Return the active administrators of the partner, and the invitation's maker if a member.

    Each has its choice about this kind of e-mail (`with_choice()`).
    """
    members = User.objects.select_related("partner_member").filter(
        Q(partner_member__role=PartnerRole.ADMINISTRATOR) | Q(pk=invitation.created_by_id),
        partner_member__partner=invitation.partner_id,
        is_active=True,
    )
    return with_choice(members, email_kind).order_by("pk")


def with_customer_counts(members: QuerySet[PartnerMember]) -> QuerySet[PartnerMember]:
    """Add `customer_count`: the customers in force that each looks after, at most 1,001 counted."""
    related: Any = PartnerMember._meta.get_field("customers").related_model
    theirs = related.objects.in_force().filter(manager=OuterRef("pk")).order_by()
    return members.annotate(customer_count=CountOf(theirs.values("pk")[: COUNTED + 1]))


@whole_transaction
def add_member(
    *,
    partner: Partner,
    user: User,
    role: str,
    may_see_addresses: bool = False,
    by: User,
    now: datetime,
) -> PartnerMember:
    """Let the user act for the partner, or raise Refused (`membership_problem()`)."""
    member = PartnerMember(
        partner=partner, user=user, role=role, may_see_addresses=may_see_addresses
    )
    try:
        with transaction.atomic():
            lock_account_of(user)
            problem = membership_problem(user)
            if problem is not None:
                raise Refused(problem)
            member.save(force_insert=True)
            after = {"partner": partner.pk, "user": user.pk, **member_terms(member)}
            record_audit_event(
                action="partner_member.added", about=member, by=by, now=now, after=after
            )
    except IntegrityError as error:
        raise Refused(MemberRefusal.ACTS_FOR_A_PARTNER) from error
    return member


@whole_transaction
def change_member(
    *,
    member: PartnerMember,
    role: str,
    may_see_addresses: bool,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> PartnerMember:
    """Give the member this role and right, unless nothing changes.

    Raises Refused for the last administrator, and for a member who was removed meanwhile. Raises
    ChangedMeanwhile if the version is not that of `member_terms()`.
    """
    with transaction.atomic():
        lock_members(member.partner_id)
        locked = PartnerMember.objects.filter(pk=member.pk).first()
        if locked is None:
            raise Refused(MemberRefusal.NO_LONGER_MEMBER)
        before = member_terms(locked)
        after = {"role": str(role), "may_see_addresses": may_see_addresses}
        if before == after:
            return locked
        check_shown(shown_version, before, about=locked)
        if role != PartnerRole.ADMINISTRATOR:
            _keep_an_administrator(locked)
        locked.role, locked.may_see_addresses = role, may_see_addresses
        locked.save(update_fields=_FIELDS)
        changed = [name for name in _FIELDS if before[name] != after[name]]
        before, after = ({name: values[name] for name in changed} for values in (before, after))
        record_audit_event(
            action="partner_member.changed",
            about=locked,
            by=by,
            now=now,
            before=before,
            after=after,
        )
    return locked


@whole_transaction
def remove_member(*, member: PartnerMember, by: User, now: datetime, reason: str = "") -> None:
    """End the membership; a second time does nothing. The audit trail has the reason.

    The customers stay the partner's, without a manager: one audit event each, and one for the
    member. A log-in that idle time has ended stays ended. Raises Refused when the member is the
    last administrator.
    """
    with transaction.atomic():
        lock_members(member.partner_id)
        # Assigning a manager locks the member too, so no customer is added in between.
        locked = lock_member(member.pk)
        if locked is None:
            return
        _keep_an_administrator(locked)
        customers = locked.customers.select_for_update().only("pk").order_by("pk")
        record_audit_events(
            action="association.manager_changed",
            changes=[(row, {"manager": locked.pk}, {"manager": None}) for row in customers],
            by=by,
            now=now,
        )
        locked.customers.update(manager=None)
        before = {"partner": locked.partner_id, "user": locked.user_id, **member_terms(locked)}
        record_audit_event(
            action="partner_member.deleted",
            about=locked,
            by=by,
            now=now,
            before=before,
            after=given_reason(reason) or None,
        )
        locked.delete()
        keep_idle_limit(user_id=locked.user_id, now=now)


def lock_members(partner_id: int) -> None:
    """Lock who acts for this partner; rows that name the partner can be written meanwhile."""
    Partner.objects.select_for_update(no_key=True).only("pk").get(pk=partner_id)


def lock_member(member_id: int) -> PartnerMember | None:
    """Return the locked member, or None when the member was removed."""
    return PartnerMember.objects.select_for_update().filter(pk=member_id).first()


def lock_account_of(user: User) -> None:
    """Lock the user's customer account, as joining a partner does: the later one sees the other."""
    CustomerAccount.objects.select_for_update().filter(owner=user).first()


def without_administrator(partners: QuerySet[Partner]) -> QuerySet[Partner]:
    """Keep the partners that have no administrator who can log in."""
    members = PartnerMember.objects.filter(partner=OuterRef("pk"), user__is_active=True)
    return partners.exclude(Exists(members.filter(role=PartnerRole.ADMINISTRATOR)))


def with_administrator_invited(partners: QuerySet[Partner], now: datetime) -> QuerySet[Any]:
    """Add `is_administrator_invited`: whether somebody can accept to be its administrator."""
    invited = MemberInvitation.objects.live(now).filter(partner=OuterRef("pk"))
    return partners.annotate(
        is_administrator_invited=Exists(invited.filter(role=PartnerRole.ADMINISTRATOR))
    )


def membership_problem(user: User) -> MemberRefusal | None:
    """Return what keeps the user from acting for a partner, if anything does."""
    if PartnerMember.objects.filter(user=user).exists():
        return MemberRefusal.ACTS_FOR_A_PARTNER
    account = CustomerAccount.objects.filter(owner=user).first()
    if account is not None and account.associations.in_force().exists():
        return MemberRefusal.IS_A_CUSTOMER
    return None


def _keep_an_administrator(member: PartnerMember) -> None:
    """Raise Refused for the last administrator. Call it under `lock_members()`."""
    if not member.is_administrator:
        return
    administrators = PartnerMember.objects.filter(
        partner=member.partner_id, role=PartnerRole.ADMINISTRATOR
    )
    if not administrators.exclude(pk=member.pk).exists():
        raise Refused(MemberRefusal.LAST_ADMINISTRATOR)


def member_terms(member: PartnerMember | MemberInvitation) -> dict[str, Any]:
    """Return what the page shows that changes the member or accepts the invitation."""
    return {"role": str(member.role), "may_see_addresses": member.may_see_addresses}

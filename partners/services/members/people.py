"""Who acts for which partner, who of them hears of what happens, and with how many customers."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Q, QuerySet

from accounts.models import User
from partners.enums import PartnerRole
from partners.models import Invitation, PartnerMember
from partners.services.pages import CountOf

# Customers of one member beyond this are "more than" in the list.
MOST_COUNTED = 1_000


def find_member(*, user: User | AnonymousUser) -> PartnerMember | None:
    """Return the user's membership with its partner, in one query; None for everyone else."""
    members = PartnerMember.objects.select_related("partner", "user")
    return members.filter(user=user.pk).first()


def partner_recipients(invitation: Invitation) -> QuerySet[User]:
    """Return who is mailed: the partner's administrators, and the invitation's maker if a member.

    Each carries its `partner_member`. Nobody is mailed whose log-in is not active.
    """
    members = User.objects.select_related("partner_member").filter(
        Q(partner_member__role=PartnerRole.ADMINISTRATOR) | Q(pk=invitation.created_by_id),
        partner_member__partner=invitation.partner_id,
        is_active=True,
    )
    return members.order_by("pk")


def with_customer_counts(members: QuerySet[PartnerMember]) -> QuerySet[PartnerMember]:
    """Add `customer_count`: the customers in force that each looks after, at most 1,001 counted."""
    related: Any = PartnerMember._meta.get_field("customers").related_model
    theirs = related.objects.in_force().filter(manager=OuterRef("pk")).order_by()
    return members.annotate(customer_count=CountOf(theirs.values("pk")[: MOST_COUNTED + 1]))

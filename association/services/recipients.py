"""Who of a partner is mailed about its customers."""

from collections import defaultdict
from collections.abc import Collection

from django.db.models import Q, QuerySet

from accounts.models import User
from association.models import Association
from partners.enums import PartnerRole


def customer_recipients(association: Association) -> QuerySet[User]:
    """Return the partner's administrators and the customer's manager, if there is one.

    Each carries its `partner_member`. Nobody is mailed whose log-in is not active.
    """
    return _people_of([association])


def recipients_of_many(associations: Collection[Association]) -> dict[int, list[User]]:
    """Return the same people for many associations, by the association's key; one statement."""
    administrators: dict[int, list[User]] = defaultdict(list)
    members: dict[tuple[int, int | None], User] = {}
    for user in _people_of(associations):
        member = user.partner_member
        if member.is_administrator:
            administrators[member.partner_id].append(user)
        members[member.partner_id, member.pk] = user
    recipients: dict[int, list[User]] = {}
    for association in associations:
        people = list(administrators[association.partner_id])
        manager = members.get((association.partner_id, association.manager_id))
        if manager is not None and manager not in people:
            people.append(manager)
        recipients[association.pk] = people
    return recipients


def _people_of(associations: Collection[Association]) -> QuerySet[User]:
    managers = {association.manager_id for association in associations} - {None}
    members = User.objects.select_related("partner_member").filter(
        Q(partner_member__role=PartnerRole.ADMINISTRATOR) | Q(partner_member__in=managers),
        partner_member__partner__in={association.partner_id for association in associations},
        is_active=True,
    )
    return members.order_by("pk")

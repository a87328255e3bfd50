"""Who at the partner hears of an attempt or an association."""

from django.db.models import Q, QuerySet

from accounts.models import User
from partners.models import Invitation, PartnerRole


def partner_recipients(invitation: Invitation) -> QuerySet[User]:
    """Return the partner's administrators, and the member who made the invitation."""
    return User.objects.filter(
        Q(partner_member__role=PartnerRole.ADMINISTRATOR) | Q(pk=invitation.created_by_id),
        partner_member__partner=invitation.partner_id,
        is_active=True,
    ).order_by("pk")

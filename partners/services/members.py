"""Who acts for which partner."""

from accounts.models import User
from partners.models import PartnerMember


def find_member(*, user: User) -> PartnerMember | None:
    """Return the user's membership with its partner, in one query; None for everyone else."""
    return PartnerMember.objects.select_related("partner").filter(user=user).first()

"""Adding a partner, together with the invitation of its first administrator."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from audit.services import plain_values, record_audit_event
from partners.enums import MemberRefusal, PartnerRole
from partners.models import MemberInvitation, Partner
from partners.services.member_invitations import invite_member
from partners.services.members import membership_problem
from partners.services.partner_names import check_name, lock_names
from web.email_addresses import canonical_address
from web.transactions import whole_transaction


@whole_transaction
def add_partner(
    *,
    partner: Partner,
    administrator: str,
    by: User,
    now: datetime,
    allow_any_name: bool = False,
) -> MemberInvitation:
    """Save the new partner, and ask the person with this address to be its first administrator.

    The person gets an e-mail. Raises InvalidAddress and Refused as `invite_member()` does, and
    Refused with a NameRefusal for the name unless `allow_any_name`: administrators have seen
    who asks (decision 0040). Then there is no partner either.
    """
    with transaction.atomic():
        if not allow_any_name:
            lock_names()
            check_name(partner, partner.name)
        partner.save(force_insert=True)
        names = [field.name for field in partner._meta.fields]
        record_audit_event(
            action="partner.added",
            about=partner,
            by=by,
            now=now,
            after=plain_values(partner, names, ("support_email",)),
        )
        return invite_member(
            partner=partner,
            address=administrator,
            role=PartnerRole.ADMINISTRATOR,
            by=by,
            now=now,
        )


def administrator_problem(address: str) -> MemberRefusal | None:
    """Return what keeps the person with this address from acting for a partner, if anything does.

    Only the provider may be told that. Raises InvalidAddress.
    """
    user = User.objects.filter(email=canonical_address(address)).first()
    return None if user is None else membership_problem(user)

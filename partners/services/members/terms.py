"""What every act on a partner's members shares: the refusal, the locks, and who cannot be one."""

from datetime import datetime

from accounts.models import CustomerAccount, User
from partners.enums import MemberProblem
from partners.models import Partner, PartnerMember


class MemberRefused(Exception):
    """Someone cannot become, stay or cease to be a member as asked; `code` says why.

    `again_at` is the moment from which a limit allows it again; None for what is no limit.
    """

    def __init__(self, code: MemberProblem, *, again_at: datetime | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.again_at = again_at


def lock_members(partner_id: int) -> None:
    """Let one act at a time change who acts for this partner, until the transaction ends.

    Rows that name the partner can be written meanwhile.
    """
    Partner.objects.select_for_update(no_key=True).only("pk").get(pk=partner_id)


def lock_member(member_id: int) -> PartnerMember | None:
    """Hold the member, as whoever makes them a manager does; None when they were removed."""
    return PartnerMember.objects.select_for_update().filter(pk=member_id).first()


def lock_account_of(user: User) -> None:
    """Hold the user's customer account, as joining a partner does.

    Of the two, the second then sees what the first has made.
    """
    CustomerAccount.objects.select_for_update().filter(owner=user).first()


def hindrance_of(user: User) -> MemberProblem | None:
    """Return what keeps the user from acting for a partner, if anything does."""
    if PartnerMember.objects.filter(user=user).exists():
        return MemberProblem.ACTS_FOR_A_PARTNER
    account = CustomerAccount.objects.filter(owner=user).first()
    if account is not None and account.associations.in_force().exists():
        return MemberProblem.IS_A_CUSTOMER
    return None

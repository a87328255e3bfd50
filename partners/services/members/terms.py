"""What every act on a partner's members shares: the refusal, and the partner's lock."""

from datetime import datetime

from partners.models import Partner
from partners.refusal_codes import MemberProblem


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

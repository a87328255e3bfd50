"""The sentences for what partners refuses to do, by the code of the refusal."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partners.refusal_codes import InvitationProblem, MemberProblem, RequestProblem
from partners.services.invitations import InvitationNotSaved, QuotaReached
from partners.services.members import MemberRefused
from partners.services.requests import RequestRefused

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SENTENCES: dict[str, "StrOrPromise"] = {
    InvitationProblem.REVOKED: _("This invitation has been revoked."),
    InvitationProblem.EXPIRED: _("This invitation has expired."),
    InvitationProblem.USED_UP: _("This invitation has been used up."),
    InvitationProblem.PARTNER_UNAVAILABLE: _("The partner is frozen and cannot invite."),
    InvitationProblem.TYPE_NOT_ALLOWED: _("The partner may not invite in this association type."),
    InvitationProblem.EXPIRY_NOT_AHEAD: _("The expiry must be in the future."),
    InvitationProblem.TOO_FEW_USES: _("It must allow at least one use, and all uses so far."),
    InvitationProblem.TOO_MANY_USES: _("It cannot allow so many uses."),
    InvitationProblem.NOT_BY_EMAIL: _("Only an invitation by e-mail can be sent again."),
    InvitationProblem.MAILED_TOO_OFTEN: _(
        "This person was sent three invitations within a day. Try again tomorrow."
    ),
    InvitationProblem.QUOTA_REACHED: _(
        "These would be more invitations than are allowed within 24 hours."
    ),
    RequestProblem.ANSWERED: _("The online invitation has been sent already."),
    RequestProblem.DISMISSED: _("This request has been dismissed."),
    RequestProblem.NOT_A_LINK: _("Only whoever follows a link can ask for an online invitation."),
    MemberProblem.LAST_ADMINISTRATOR: _(
        "A partner keeps at least one administrator. Make someone else an administrator first."
    ),
    MemberProblem.NO_LONGER_MEMBER: _("This person is no longer a member."),
    MemberProblem.MEMBER_ALREADY: _("This person is a member already."),
    MemberProblem.MAILED_TOO_OFTEN: _(
        "This person was sent three invitations to become a member within a day. Try again"
        " tomorrow."
    ),
    MemberProblem.TOO_MANY_INVITED: _(
        "Your organisation has invited as many members as it can within a day. Try again tomorrow."
    ),
    MemberProblem.INVITATION_ACCEPTED: _("This invitation has been accepted already."),
    MemberProblem.INVITATION_EXPIRED: _(
        "This invitation has expired. Ask whoever invited you to invite you again."
    ),
    MemberProblem.INVITATION_WITHDRAWN: _("This invitation has been withdrawn."),
    MemberProblem.ACTS_FOR_A_PARTNER: _(
        "You act for a partner already, and a log-in acts for one partner only."
    ),
    MemberProblem.IS_A_CUSTOMER: _(
        "Your account is a partner’s customer, and a customer does not act for a partner. Ask to be"
        " invited with another e-mail address."
    ),
}


def sentence_for(refused: InvitationNotSaved | MemberRefused | RequestRefused) -> str:
    """Return what to tell whoever wanted it; when it is about time, in the reader's zone."""
    if isinstance(refused, QuotaReached):
        return gettext(
            "These would be more invitations than are allowed within 24 hours."
            " Possible again from %(moment)s."
        ) % {"moment": _minute_after(refused.until)}
    return str(SENTENCES[refused.code])


def _minute_after(moment: datetime) -> str:
    """Return the first whole minute after the moment, with its zone."""
    local = localtime(moment + timedelta(minutes=1))
    return f"{date_format(local, 'DATETIME_FORMAT')} {local:%Z}"

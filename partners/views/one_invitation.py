"""What the console's pages about invitations share: whose they are, their state, their funnel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.services.security_log import log_security_event
from partners.models import Invitation, InvitationRefusal, PartnerMember
from partners.models.invitations import InvitationQuerySet
from partners.services.invitations import Progress
from partners.services.pages import Count

SECTION = "invitations"


@dataclass(frozen=True, slots=True)
class State:
    """What can be done with an invitation now, in a word; `kind` is the status component's."""

    label: str
    kind: str
    is_live: bool = False


def invitations_of(member: PartnerMember) -> InvitationQuerySet:
    """Return the invitations that the member may see."""
    return member.partner.invitations.visible_to(member)


def invitation_of(member: PartnerMember, invitation_id: int, *related: str) -> Invitation:
    """Return the member's invitation with its partner; for others the page does not exist."""
    rows = invitations_of(member).select_related("partner", *related)
    return get_object_or_404(rows, pk=invitation_id)


def state_of(invitation: Invitation, now: datetime) -> State:
    """Return the state at `now` as the console shows it."""
    refusal = invitation.refusal(now)
    states = {
        None: State(_("Live"), "success", is_live=True),
        InvitationRefusal.REVOKED: State(_("Revoked"), "danger"),
        InvitationRefusal.USED_UP: State(_("Used up"), "neutral"),
        InvitationRefusal.EXPIRED: State(_("Expired"), "warning"),
        InvitationRefusal.PARTNER_UNAVAILABLE: State(_("Partner frozen"), "danger"),
        InvitationRefusal.TYPE_NOT_ALLOWED: State(_("Type not allowed"), "danger"),
    }
    return states[refusal]


def funnel_of(invitation: Invitation, progress: Progress) -> list[dict[str, Any]]:
    """Return the bars of the funnel: started, registered, associated, and refused beside them."""
    associated = Count(invitation.used_count, is_more=False)
    counts = [
        (_("Started"), progress.started, ""),
        (_("Registered"), progress.registered, ""),
        (_("Associated"), associated, ""),
        (_("Refused"), progress.refused, "refused"),
    ]
    most = max(count.number for _label, count, _kind in counts) or 1
    return [
        {
            "label": label,
            "number": count.number,
            "is_more": count.is_more,
            "width": round(100 * count.number / most),
            "kind": kind,
        }
        for label, count, kind in counts
    ]


def mail_address(invitation: Invitation) -> str:
    """Return a mailto: address that opens a mail with the link in it, for the member to send."""
    names = {
        "partner": invitation.partner.name,
        "provider": settings.PROVIDER_NAME,
        "link": invitation.link,
    }
    subject = _("%(partner)s invites you to join on %(provider)s") % names
    body = _("Open this link to join %(partner)s on %(provider)s:\n\n%(link)s\n") % names
    return f"mailto:?subject={quote(subject)}&body={quote(body)}"


def log_shown(invitation: Invitation, member: PartnerMember, *, what: str) -> None:
    """Say in the security log who saw the link again; the token is not in it."""
    log_security_event("invitation.shown", invitation=invitation.pk, member=member.pk, shown=what)

"""What pages about invitations and batches share: who sees which, their state, the funnel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from partners.enums import InvitationProblem, InvitationRefusal, PartnerStatus
from partners.forms.links import allowed_types
from partners.models import Invitation, InvitationBatch, PartnerMember
from partners.models.batches import InvitationBatchQuerySet
from partners.models.invitations import InvitationQuerySet
from partners.refusals import SENTENCES
from partners.services.pages import Count
from web.random_ids import key_or_404
from web.security_log import log_security_event

SECTION = "invitations"
# The filters of the history that list the people whom a count of the funnel counts.
_COUNTED_BY: Mapping[str, Mapping[str, str]] = {
    "started": {},
    "registered": {"account": "registered"},
    "associated": {"outcome": "associated"},
    "refused": {"outcome": "refused"},
}


@dataclass(frozen=True, slots=True)
class State:
    """What can be done with an invitation now, in a word; `kind` is the status component's."""

    label: str
    kind: str
    is_live: bool = False


def invitations_of(member: PartnerMember) -> InvitationQuerySet:
    return member.partner.invitations.visible_to(member)


def invitation_of(member: PartnerMember, invitation_id: int, *related: str) -> Invitation:
    """Return the member's invitation with its partner; for others the page does not exist."""
    rows = invitations_of(member).select_related("partner", *related)
    return get_object_or_404(rows, pk=invitation_id)


def batches_of(member: PartnerMember) -> InvitationBatchQuerySet:
    return member.partner.batches.visible_to(member)


def batch_of(member: PartnerMember, batch_id: int) -> InvitationBatch:
    """Return the member's batch; for others the page does not exist."""
    return get_object_or_404(batches_of(member).select_related("created_by"), pk=batch_id)


def state_of(invitation: Invitation, now: datetime) -> State:
    return states()[invitation.refusal(now)]


def states() -> dict[str | None, State]:
    """Return the states in the reader's language, by what refuses."""
    return {
        None: State(_("Live"), "success", is_live=True),
        InvitationRefusal.REVOKED: State(_("Revoked"), "danger"),
        InvitationRefusal.USED_UP: State(_("Used up"), "neutral"),
        InvitationRefusal.EXPIRED: State(_("Expired"), "warning"),
        InvitationRefusal.PARTNER_UNAVAILABLE: State(_("Partner frozen"), "danger"),
        InvitationRefusal.TYPE_NOT_ALLOWED: State(_("Type not allowed"), "danger"),
    }


def people_urls(**source: int) -> dict[str, str]:
    """Return, by the name of each count, where the people whom it counts are listed.

    `source` is one filter of the history: `invitation` or `batch`, with its key.
    """
    url = reverse("console_history")
    return {name: f"{url}?{urlencode({**source, **by})}" for name, by in _COUNTED_BY.items()}


def bars_of(urls: Mapping[str, str] | None = None, **counts: Count) -> list[dict[str, Any]]:
    """Return how far people came, for `components/funnel.html`; `urls` are of `people_urls()`.

    The counts are `started`, `registered`, `associated` and `refused`, and may be `invited`.
    """
    labels = {
        "invited": _("Invitations"),
        "started": _("Started"),
        "registered": _("Registered"),
        "associated": _("Associated"),
        "refused": _("Refused"),
    }
    most = max(count.number for count in counts.values()) or 1
    return [
        {
            "label": label,
            "count": counts[name],
            "width": round(100 * counts[name].number / most),
            "kind": "refused" if name == "refused" else "",
            "url": (urls or {}).get(name, ""),
        }
        for name, label in labels.items()
        if name in counts
    ]


def why_no_link(member: PartnerMember) -> str:
    """Return the sentence for why the partner can make no link at all, or ""."""
    if member.partner.status != PartnerStatus.NORMAL:
        return str(SENTENCES[InvitationProblem.PARTNER_UNAVAILABLE])
    if not allowed_types(member.partner):
        return str(SENTENCES[InvitationProblem.TYPE_NOT_ALLOWED])
    return ""


def report_mailing(request: HttpRequest, invitation: Invitation, shown_address: str) -> None:
    """Tell the member that the invitation is on its way, or why it was not mailed."""
    if invitation.is_withheld:
        messages.warning(request, str(SENTENCES[InvitationProblem.DOES_NOT_WANT_EMAIL]))
    else:
        text = _("The invitation to %(address)s is on its way.")
        messages.success(request, text % {"address": shown_address})


def copied_key(request: HttpRequest) -> int | None:
    """Return the key of the object that the address names to begin with, if it names one."""
    text = request.GET.get("copy")
    if text is None or request.method == "POST":
        return None
    return key_or_404(text)


def log_shown(invitation: Invitation, member: PartnerMember, *, what: str) -> None:
    """Log for security who saw the link again; the token is not logged."""
    log_security_event("invitation.shown", invitation=invitation.pk, member=member.pk, shown=what)

"""Requests for an online invitation in the admin: read, answered and dismissed."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.admin import EvidenceAdmin
from partners.models import InvitationRequest
from partners.refusals import SENTENCES
from partners.services.invitation_requests import (
    answer_invitation_request,
    dismiss_invitation_request,
)
from web.admin.confirmation import ReasonForm, confirmed_action
from web.admin.filters import StateFilter
from web.email_addresses import mask_address
from web.refused import Refused


def request_name(invitation_request: InvitationRequest) -> str:
    """Who asks which partner."""
    return f"{mask_address(invitation_request.address)} – {invitation_request.partner}"


class RequestStateFilter(StateFilter):
    """What became of the request."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """Open, answered with an invitation, or dismissed."""
        closed = Q(closed_at__isnull=False)
        return {
            "open": (_("open"), ~closed),
            "sent": (_("invitation sent"), closed & Q(sent_invitation__isnull=False)),
            "dismissed": (_("dismissed"), closed & Q(sent_invitation__isnull=True)),
        }


@admin.register(InvitationRequest)
class InvitationRequestAdmin(EvidenceAdmin):
    """People with an existing account who asked for an online invitation."""

    list_display = ("requested_at", "partner", "address", "invitation", "closed_at")
    list_select_related = ("partner", "invitation")
    list_filter = (RequestStateFilter,)
    search_fields = ("address__iexact", "partner__name__icontains")
    search_help_text = _("A whole e-mail address, or part of the partner's name")
    date_hierarchy = "requested_at"
    addresses = ("address",)
    fields = (
        "partner",
        "invitation",
        "address",
        "language",
        "requested_at",
        "sent_invitation",
        "closed_at",
        "closed_by",
        "dismiss_reason",
    )
    actions = ("send_invitation", "dismiss")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Allowed with Django's permission to change requests; the rows cannot be edited."""
        return request.user.has_perm("partners.change_invitationrequest")

    @confirmed_action(
        title=_("Send the online invitation"),
        consequences=(
            _("Each person is mailed an online invitation of the partner they asked."),
            _("It is for them alone and lives for seven days."),
            _("A request that was answered before is left as it is."),
        ),
        button=_("Send the invitation"),
        name=request_name,
        refused_by=(Refused,),
        refusals=SENTENCES,
        permissions=["act"],
    )
    def send_invitation(
        self, invitation_request: InvitationRequest, *, by: User, now: datetime
    ) -> None:
        """Answer the request as the partner could."""
        answer_invitation_request(invitation_request=invitation_request, by=by, now=now)

    @confirmed_action(
        title=_("Dismiss requests"),
        description=_("Dismiss"),
        consequences=(
            _("Nobody is mailed. The partner does not see these requests any more."),
            _("The same person can ask again."),
        ),
        button=_("Dismiss"),
        form=ReasonForm,
        name=request_name,
        refused_by=(Refused,),
        refusals=SENTENCES,
        permissions=["act"],
    )
    def dismiss(
        self, invitation_request: InvitationRequest, *, by: User, now: datetime, reason: str
    ) -> None:
        """Close the request without an invitation."""
        dismiss_invitation_request(
            invitation_request=invitation_request, reason=reason, by=by, now=now
        )

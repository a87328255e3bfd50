"""Requests for an online invitation in the admin: read, answered and dismissed."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.admin import EvidenceAdmin
from partners.admin.shared import all_fields
from partners.models import InvitationRequest
from partners.refusals import SENTENCES
from partners.services.invitation_requests import (
    answer_invitation_request,
    dismiss_invitation_request,
)
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import given
from web.email_addresses import mask_address


def request_name(invitation_request: InvitationRequest) -> str:
    return f"{mask_address(invitation_request.address)} – {invitation_request.partner}"


class RequestStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        closed = Q(closed_at__isnull=False)
        return {
            "open": (_("open"), ~closed),
            "sent": (_("invitation sent"), closed & Q(sent_invitation__isnull=False)),
            "dismissed": (_("dismissed"), closed & Q(sent_invitation__isnull=True)),
        }


@admin.register(InvitationRequest)
class InvitationRequestAdmin(EvidenceAdmin):
    list_display = ("requested_at", "partner", "address", "invitation", "closed_at")
    list_select_related = ("partner", "invitation")
    list_filter = (RequestStateFilter, *given("partner", "invitation"))
    search_fields = ("address__exact", "partner__name__icontains")
    search_help_text = _("A whole e-mail address, or part of the partner's name")
    lower_case_search = True
    date_hierarchy = "requested_at"
    addresses = ("address",)
    fields = all_fields(InvitationRequest)
    actions = ("send_invitation", "dismiss")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("partners.change_invitationrequest")

    @ConfirmedAction(
        title=_("Send the online invitation"),
        consequences=(
            _("Each person is mailed an online invitation of the partner they asked."),
            _(
                "Who does not want this partner's invitations by e-mail gets none, and the partner"
                " sees it."
            ),
            _("Only they can use it, for seven days."),
            _("Requests that were answered before do not change."),
        ),
        button=_("Send the invitation"),
        name=request_name,
        refusals=SENTENCES,
        permissions=["act"],
        works_for=lambda invitation_request: invitation_request.closed_at is None,
    )
    def send_invitation(
        self, invitation_request: InvitationRequest, *, by: User, now: datetime
    ) -> None:
        answer_invitation_request(invitation_request=invitation_request, by=by, now=now)

    @ConfirmedAction(
        title=_("Dismiss requests"),
        description=_("Dismiss"),
        consequences=(
            _("No e-mail is sent. The partner does not see these requests any more."),
            _("The same person can ask again."),
        ),
        button=_("Dismiss"),
        form=reason_form(
            _("The members of the partner read it. The person who asked is not told.")
        ),
        name=request_name,
        refusals=SENTENCES,
        permissions=["act"],
        works_for=lambda invitation_request: invitation_request.closed_at is None,
    )
    def dismiss(
        self, invitation_request: InvitationRequest, *, by: User, now: datetime, reason: str
    ) -> None:
        dismiss_invitation_request(
            invitation_request=invitation_request, reason=reason, by=by, now=now
        )

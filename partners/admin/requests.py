"""Requests for an online invitation in the admin: to be read only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import EvidenceAdmin
from accounts.admin.filters import StateFilter
from partners.models import InvitationRequest


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

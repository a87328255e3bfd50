"""The console's requests for an online invitation: the list, one click to answer, dismissing."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from partners.forms.filters import InvitationRequestListForm
from partners.forms.invitations import DismissForm
from partners.models import InvitationRequest, PartnerMember
from partners.models.invitation_requests import InvitationRequestQuerySet
from partners.services.invitation_requests import (
    answer_invitation_request,
    dismiss_invitation_request,
)
from partners.services.pages import Order
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, listing
from partners.views.refusing import answer_action, answer_form
from partners.views.shared import report_mailing
from web.answers import posted, posts_only

SECTION = "invitation_requests"
OLDEST_FIRST = Order("requested_at", descending=False)


@require_safe
@for_members
def invitation_requests(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    form = InvitationRequestListForm(request.GET)
    filters = filters_of(form)
    rows = _filter(_own(member), member, filters).select_related("invitation", "closed_by")
    context = {
        "listing": listing(request, form, rows, order=OLDEST_FIRST),
        "reset_url": reverse("console_invitation_requests"),
    }
    return show(request, member, "partners/invitation_requests.html", context, section=SECTION)


@for_members
@posts_only("console_invitation_requests")
def send_invitation(
    request: HttpRequest, member: PartnerMember, invitation_request_id: int
) -> HttpResponse:
    invitation_request = get_object_or_404(_own(member), pk=invitation_request_id)

    def send() -> str:
        sent = answer_invitation_request(
            invitation_request=invitation_request, by=member.user, now=timezone.now()
        )
        report_mailing(request, sent, _address(invitation_request, member))
        if sent.is_withheld:
            # Where its link can be copied.
            return reverse("console_invitation", args=[sent.pk])
        return reverse("console_invitation_requests")

    back_url = reverse("console_invitation_requests")
    return answer_action(request, member, send, section=SECTION, back_url=back_url)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def dismiss(
    request: HttpRequest, member: PartnerMember, invitation_request_id: int
) -> HttpResponse:
    rows = _own(member).select_related("invitation")
    invitation_request = get_object_or_404(rows, pk=invitation_request_id)
    form, list_url = DismissForm(posted(request)), reverse("console_invitation_requests")

    def close() -> str:
        dismiss_invitation_request(
            invitation_request=invitation_request,
            by=member.user,
            now=timezone.now(),
            **form.cleaned_data,
        )
        messages.success(request, _("The request has been dismissed."))
        return list_url

    template = "partners/invitation_request_dismiss.html"
    context = {"invitation_request": invitation_request, "back_url": list_url}
    return answer_form(request, member, form, close, template, context, section=SECTION)


def _address(invitation_request: InvitationRequest, member: PartnerMember) -> str:
    if member.may_reveal_addresses:
        return invitation_request.address
    return invitation_request.masked_address


def _own(member: PartnerMember) -> InvitationRequestQuerySet:
    return member.partner.invitation_requests.visible_to(member)


def _filter(
    rows: InvitationRequestQuerySet, member: PartnerMember, filters: Mapping[str, Any]
) -> InvitationRequestQuerySet:
    """Return the rows that the filters choose; only who may read an address finds it."""
    state = filters.get("state", "open")
    if state == "open":
        rows = rows.open()
    elif state != "all":
        rows = rows.filter(closed_at__isnull=False, sent_invitation__isnull=state == "dismissed")
    text = filters.get("q", "")
    if text:
        found = Q(invitation__label__icontains=text)
        if member.may_reveal_addresses:
            found |= Q(address__icontains=text)
        rows = rows.filter(found)
    return rows

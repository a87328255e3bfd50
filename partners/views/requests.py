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
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from partners.forms import DismissForm, RequestListForm
from partners.models import PartnerMember
from partners.models.invitations import InvitationRequestQuerySet
from partners.refusals import sentence_for
from partners.services.invitations import InvitationNotSaved
from partners.services.pages import Order
from partners.services.requests import RequestRefused, answer_request, dismiss_request
from partners.views.gate import for_members, show
from partners.views.lists import listing, wishes_of
from partners.views.refusing import refusal_page
from web.answers import posted, see_other

SECTION = "requests"
OLDEST_FIRST = Order("requested_at", descending=False)


@require_safe
@for_members
def requests(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the requests, oldest first; without a wish those that nobody has answered."""
    form = RequestListForm(request.GET)
    wishes = wishes_of(form)
    rows = _wished(_own(member), member, wishes).select_related("invitation", "closed_by")
    context = {
        "listing": listing(request, form, rows, order=OLDEST_FIRST),
        "reset_url": reverse("console_requests"),
    }
    return show(request, member, "partners/requests.html", context, section=SECTION)


@require_POST
@for_members
def send_invitation(request: HttpRequest, member: PartnerMember, request_id: int) -> HttpResponse:
    """Send the online invitation that was asked for; once, however often it is clicked."""
    asked = get_object_or_404(_own(member), pk=request_id)
    try:
        answer_request(request=asked, by=member.user, now=timezone.now())
    except (InvitationNotSaved, RequestRefused) as refused:
        sentence, back_url = sentence_for(refused), reverse("console_requests")
        return refusal_page(request, member, refused, sentence, section=SECTION, back_url=back_url)
    address = asked.address if member.sees_addresses else asked.masked_address
    messages.success(
        request, _("The invitation to %(address)s is on its way.") % {"address": address}
    )
    return see_other("console_requests")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def dismiss(request: HttpRequest, member: PartnerMember, request_id: int) -> HttpResponse:
    """Ask why the request is dismissed, and close it without an invitation."""
    asked = get_object_or_404(_own(member).select_related("invitation"), pk=request_id)
    form = DismissForm(posted(request))
    status, refusal = 200, ""
    if form.is_bound and form.is_valid():
        try:
            dismiss_request(request=asked, by=member.user, now=timezone.now(), **form.cleaned_data)
        except RequestRefused as refused:
            status, refusal = 409, sentence_for(refused)
        else:
            messages.success(request, _("The request has been dismissed."))
            return see_other("console_requests")
    elif form.is_bound:
        status = 400
    context = {
        "asked": asked,
        "form": form,
        "refusal": refusal,
        "back_url": reverse("console_requests"),
    }
    return show(
        request, member, "partners/request_dismiss.html", context, section=SECTION, status=status
    )


def _own(member: PartnerMember) -> InvitationRequestQuerySet:
    """Return the requests that the member may see."""
    return member.partner.invitation_requests.visible_to(member)


def _wished(
    rows: InvitationRequestQuerySet, member: PartnerMember, wishes: Mapping[str, Any]
) -> InvitationRequestQuerySet:
    """Return the rows that were asked for; an address is found only by whoever may read it."""
    state = wishes.get("state", "open")
    if state == "open":
        rows = rows.open()
    elif state != "all":
        rows = rows.filter(closed_at__isnull=False, sent_invitation__isnull=state == "dismissed")
    text = wishes.get("q", "")
    if text:
        found = Q(invitation__label__icontains=text)
        if member.sees_addresses:
            found |= Q(address__icontains=text)
        rows = rows.filter(found)
    return rows

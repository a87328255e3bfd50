"""The console's answer to whoever asks for an online invitation."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.views.answers import see_other
from partners.models import PartnerMember
from partners.refusals import sentence_for
from partners.services.invitations import InvitationNotSaved
from partners.services.requests import RequestRefused, answer_request
from partners.views.gate import for_members, show


@require_POST
@for_members
def send_invitation(request: HttpRequest, member: PartnerMember, request_id: int) -> HttpResponse:
    """Send the online invitation that was asked for; once, however often it is clicked."""
    own = member.partner.invitation_requests.visible_to(member)
    asked = get_object_or_404(own, pk=request_id)
    try:
        answer_request(request=asked, by=member.user, now=timezone.now())
    except (InvitationNotSaved, RequestRefused) as refused:
        messages.error(request, sentence_for(refused))
    else:
        said = _("The invitation to %(address)s is on its way.") % {"address": asked.address}
        messages.success(request, said)
    return see_other("console_overview")


@require_safe
@for_members
def requests(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the requests for an online invitation, oldest first."""
    return show(request, member, "partners/requests.html", {}, section="requests")

"""The console's request for a customer's authorization."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.views.answers import see_other
from association.refusals import sentence_for
from association.services.authorizations import AuthorizationRefused, request_authorization
from partners.models import PartnerMember
from partners.views.gate import for_members


@require_POST
@for_members
def request_customer_authorization(
    request: HttpRequest, member: PartnerMember, association_id: int
) -> HttpResponse:
    """Ask the customer for the authorization; once, however often it is clicked."""
    customers = member.partner.associations.visible_to(member).select_related("account__owner")
    customer = get_object_or_404(customers, pk=association_id)
    try:
        request_authorization(association=customer, by=member.user, now=timezone.now())
    except AuthorizationRefused as refused:
        messages.error(request, sentence_for(refused))
    else:
        said = _("%(name)s has been asked for the authorization.")
        messages.success(request, said % {"name": customer.account.owner.account_name})
    return see_other("console_customer", customer.pk)

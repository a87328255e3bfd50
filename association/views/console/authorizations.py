"""The console's request for a customer's authorization."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.views.answers import see_other
from association.refusals import sentence_for
from association.services.authorizations import AuthorizationRefused, request_authorization
from partners.models import PartnerMember
from partners.views.gate import for_members
from partners.views.refusing import refusal_page


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
        sentence, back_url = sentence_for(refused), reverse("console_customer", args=[customer.pk])
        return refusal_page(request, member, sentence, section="customers", back_url=back_url)
    said = _("%(name)s has been asked for the authorization.")
    messages.success(request, said % {"name": customer.account.owner.account_name})
    return see_other("console_customer", customer.pk)

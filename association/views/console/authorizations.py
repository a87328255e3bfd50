"""The console's request for a customer's authorization."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from association.services.authorizations import request_authorization
from association.views.console.refusing import answers_refusals
from partners.models import PartnerMember
from partners.views.gate import for_members
from web.form_keys import answer_once


@require_POST
@for_members
@answers_refusals
def request_customer_authorization(
    request: HttpRequest, member: PartnerMember, association_id: int
) -> HttpResponse:
    """Ask the customer for the authorization."""
    customers = member.partner.associations.visible_to(member).select_related("account__owner")
    customer = get_object_or_404(customers, pk=association_id)

    def ask() -> str:
        request_authorization(association=customer, by=member.user, now=timezone.now())
        text = _("%(name)s has been asked for the authorization.")
        messages.success(request, text % {"name": customer.account.owner.account_name})
        return resolve_url("console_customer", customer.pk)

    return answer_once(request, "console_request_authorization", ask)

"""The page that says why something is not possible now, and what would make it possible."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from association.refusals import sentence_for
from association.services.customers import CustomerRefused
from association.views.console.showing import back_to
from partners.models import PartnerMember
from partners.views.gate import show


def refuse(request: HttpRequest, member: PartnerMember, refused: CustomerRefused) -> HttpResponse:
    """Say which customer, why not, and the way to a missing budget; a POST is 409."""
    association = refused.association
    has_way = refused.code == "no_budget"
    context = {
        "sentence": sentence_for(refused),
        "account_name": association.account.owner.account_name,
        "budget_url": reverse("console_set_budget", args=[association.pk]) if has_way else "",
        **back_to(association),
    }
    template = "partners/refused.html"
    status = 409 if request.method == "POST" else 200
    return show(request, member, template, context, section="customers", status=status)

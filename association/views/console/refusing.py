"""The console's page for a refused action on a customer: why, and what would make it possible."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from association.enums import CustomerProblem
from association.models import Association
from association.refusals import sentence_for
from association.views.console.customer_rows import back_to
from partners.models import PartnerMember
from partners.views.gate import show
from partners.views.refusing import as_refusal
from web.refused import Refused


def answers_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Answer 409 (429 with a moment to retry) when a POST of the view raises Refused.

    A page that cannot offer its form raises it too, and is answered 200 like any page. The context
    of the refusal names the association.
    """

    @wraps(view)
    def answer(request: HttpRequest, member: PartnerMember, **options: Any) -> HttpResponseBase:
        try:
            return view(request, member, **options)
        except Refused as refused:
            page = _refusal_page(request, member, refused)
            is_post = request.method == "POST"
            return as_refusal(page, refused, timezone.now()) if is_post else page

    return answer


def _refusal_page(request: HttpRequest, member: PartnerMember, refused: Refused) -> HttpResponse:
    association: Association = refused.context["association"]
    budget_url = reverse("console_set_budget", args=[association.pk])
    context = {
        "sentence": sentence_for(refused),
        "account_name": association.account.owner.account_name,
        "budget_url": budget_url if refused.code == CustomerProblem.NO_BUDGET else "",
        **back_to(association),
    }
    return show(request, member, "partners/refused.html", context, section="customers")

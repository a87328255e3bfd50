"""The console's page for a refused action on a customer: why, and what would make it possible."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse

from association.enums import AssociationRefusal
from association.models import Association
from association.refusals import sentence_for
from association.views.console.customer_rows import back_to
from partners.models import PartnerMember
from partners.views.refusing import refusal_page
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
            association: Association = refused.context["association"]
            budget_url = reverse("console_set_budget", args=[association.pk])
            return refusal_page(
                request,
                member,
                sentence_for(refused),
                section="customers",
                again_at=refused.again_at,
                account_name=association.account.owner.account_name,
                budget_url=budget_url if refused.code == AssociationRefusal.NO_BUDGET else "",
                **back_to(association),
            )

    return answer

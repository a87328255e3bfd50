"""Ending the association with one customer, as the partner."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from association.enums import AssociationRefusal, EndAction, Side
from association.forms.endings import EndForm
from association.models import Association
from association.refusals import sentence_for
from association.views.console.customer_rows import back_to
from association.views.console.customers import answers_refusals, find_customer
from association.views.ending import act_on_ending, end_context
from partners.models import PartnerMember
from partners.views.gate import for_members, show
from web.answers import as_refusal, posted
from web.form_keys import answer_once
from web.refused import Refused

_DONE = {
    EndAction.ASK: _("The customer has been asked to end the association."),
    EndAction.WITHDRAW: _("The request is withdrawn. The customer is told by e-mail."),
    EndAction.AGREE: _("The association has ended. The customer is told by e-mail."),
    EndAction.DECLINE: _("You have declined. The customer is told by e-mail."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def end(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Ask to end, withdraw, agree or decline, as a member of the partner."""
    customer = find_customer(member, association_id)
    help_text = _("The customer reads it. At most 256 characters.")
    form = EndForm(posted(request), help_text=help_text)
    if not form.is_valid():
        return _page(request, member, customer, form, status=400 if form.is_bound else 200)

    def write() -> str:
        now = timezone.now()
        act_on_ending(form, customer, side=Side.PARTNER, by=member.user, now=now)
        messages.success(request, str(_DONE[form.cleaned_data["action"]]))
        return resolve_url("console_customer", customer.pk)

    try:
        return answer_once(request, write)
    except Refused as refused:
        if refused.code == AssociationRefusal.ENDED:
            raise
        page = _page(request, member, customer, form, problem=sentence_for(refused))
        return as_refusal(page, refused.again_at)


def _page(
    request: HttpRequest,
    member: PartnerMember,
    customer: Association,
    form: EndForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **end_context(form, customer, Side.PARTNER, timezone.now()),
        **back_to(customer),
        "name": customer.shown_name,
        "problem": problem,
    }
    template = "association/console/end.html"
    return show(request, member, template, context, section="customers", status=status)

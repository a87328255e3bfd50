"""The console's form for the budget of one customer, with or without unfreezing."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause
from association.enums import AssociationRefusal
from association.forms.budgets import SetBudgetForm, shown_state
from association.models import Association
from association.services.customer_lists import is_waiting, next_waiting
from association.services.customers import set_budget as set_customer_budget
from association.services.spending import next_month, spent_this_month
from association.views.console.customer_rows import back_to, row_of
from association.views.console.customers import (
    answers_refusals,
    find_customer,
    report_terms,
    state_of,
)
from partners.models import PartnerMember
from partners.views.gate import for_members, show
from partners.views.refusing import answer_or_conflict
from web.random_ids import key_or_404
from web.refused import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def set_budget(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Set the budget of one customer; `next` in the POST is the one whom the page named as next."""
    customer = find_customer(member, association_id)
    if not customer.is_reseller:
        raise Refused(AssociationRefusal.NOT_RESELLER, association=customer)
    named = key_or_404(request.POST["next"]) if "next" in request.POST else None
    following = next_waiting(member, besides=customer, named=named)
    now = timezone.now()
    spent = spent_this_month([customer], partner=member.partner, now=now)[customer.pk]
    if request.method != "POST":
        return _show(request, member, None, customer, spent, following)
    form = SetBudgetForm.of_answer(request.POST, spent=spent)
    is_last = following is None and is_waiting(customer)

    def write() -> str:
        answer = form.cleaned_data
        set_customer_budget(
            association=customer,
            amount=answer["amount"],
            period=answer["period"],
            on_exhaustion=answer["on_exhaustion"],
            unfreeze=answer.get("unfreeze", False),
            reason=answer.get("reason", ""),
            by=member.user,
            now=timezone.now(),
            shown_version=answer["shown_version"],
        )
        sentence = _done_sentence(customer, form, is_last=is_last)
        messages.success(request, f"{customer.shown_name}: {sentence}")
        return _done_url(request, customer, following)

    return answer_or_conflict(
        request,
        form,
        write,
        lambda: _show(request, member, form, customer, spent, following),
        report=report_terms,
    )


def _done_url(request: HttpRequest, customer: Association, following: Association | None) -> str:
    if "next" not in request.POST:
        return resolve_url("console_customer", customer.pk)
    if following is None:
        return reverse("console_overview")
    return resolve_url("console_set_budget", following.pk)


def _done_sentence(customer: Association, form: SetBudgetForm, *, is_last: bool) -> str:
    sentences = [_("The budget is set.")]
    if form.cleaned_data.get("unfreeze"):
        text = _("The account is not frozen any more.")
        if customer.account.freezes.open().exists():
            text = _("The account stays frozen: %(provider)s has frozen it.")
        sentences.append(text % {"provider": settings.PROVIDER_NAME})
    if is_last:
        sentences.append(_("No other customer waits for a budget."))
    return " ".join(sentences)


def _show(
    request: HttpRequest,
    member: PartnerMember,
    form: SetBudgetForm | None,
    customer: Association,
    spent: Any,
    following: Association | None,
) -> HttpResponse:
    """Show the form that was rejected, or else a new one."""
    state = state_of(customer)
    if form is None:
        form = SetBudgetForm.for_customer(state, partner=member.partner, spent=spent)
    else:
        form.show(shown_state(state))
    context = {
        "form": form,
        "line": row_of(state, member),
        "spent": spent,
        "resets_at": next_month(member.partner, timezone.now()),
        "provider_froze": FreezeCause.ADMINISTRATOR in state.causes,
        "following": following,
        **back_to(customer),
    }
    template = "association/console/set_budget.html"
    status = 400 if form.is_bound else 200
    return show(request, member, template, context, section="customers", status=status)

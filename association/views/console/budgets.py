"""The console's budgets: for one customer or for several, with or without unfreezing."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause
from association.enums import AssociationRefusal
from association.forms.budgets import SetBudgetForm, shown_state
from association.models import Association
from association.services.customer_lists import (
    customer_states,
    is_waiting,
    next_waiting,
    with_people,
)
from association.services.customers import BudgetsSet, BudgetTerms, set_budgets
from association.services.spending import next_month, spent_this_month
from association.views.console.customer_rows import back_to, row_of
from association.views.console.customers import answers_refusals, find_customer, report_terms
from partners.models import PartnerMember
from partners.views.gate import for_members, show
from partners.views.refusing import answer_or_conflict
from web.random_ids import key_or_404
from web.refused import Refused

MOST_ON_ONE_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def set_budget(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Set the budget of one customer; `next` in the POST goes on with who has waited longest."""
    customer = find_customer(member, association_id)
    following = next_waiting(member, besides=customer)
    done_url = resolve_url("console_customer", customer.pk)
    note = ""
    if request.method == "POST" and following is None and is_waiting(customer):
        note = _("No other customer waits for a budget.")
    if "next" in request.POST:
        done_url = (
            resolve_url("console_set_budget", following.pk)
            if following
            else reverse("console_overview")
        )
    shown = {**back_to(customer), "following": following}
    return _set(request, member, [customer], done_url, shown, note=note)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def set_several(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Set the same budget for every customer that was ticked on the list: for all or for none."""
    ticked = (request.POST if request.method == "POST" else request.GET).getlist("customer")
    keys = {key_or_404(text) for text in ticked}
    if not 0 < len(keys) <= MOST_ON_ONE_PAGE:
        return _show_choice_problem(request, member, len(keys))
    rows = with_people(
        member.partner.associations.visible_to(member).in_force().filter(pk__in=keys)
    )
    customers = list(rows.order_by("-associated_at", "-pk"))
    if len(customers) != len(keys):
        raise Http404
    done_url = reverse("console_customers")
    back = {"back_url": done_url, "back_label": _("Customers")}
    return _set(request, member, customers, done_url, back)


def _set(
    request: HttpRequest,
    member: PartnerMember,
    customers: list[Association],
    done_url: str,
    shown: dict[str, Any],
    *,
    note: str = "",
) -> HttpResponse:
    """Show the form, or set the budgets and go to `done_url`, where `note` is told too."""
    for customer in customers:
        if not customer.is_reseller:
            raise Refused(AssociationRefusal.NOT_RESELLER, association=customer)
    spent = spent_this_month(customers, partner=member.partner, now=timezone.now())
    if request.method != "POST":
        return _show(request, member, None, customers, spent, shown)
    of_each = [(row.shown_name, spent[row.pk]) for row in customers]
    form = SetBudgetForm.of_answer(request.POST, spent=of_each)

    def write() -> str:
        answer = form.cleaned_data
        done = set_budgets(
            associations=customers,
            terms=BudgetTerms(answer["amount"], answer["period"], answer["on_exhaustion"]),
            unfreeze=answer.get("unfreeze", False),
            reason=answer.get("reason", ""),
            by=member.user,
            now=timezone.now(),
            shown_version=answer["shown_version"],
        )
        messages.success(request, f"{_done_sentence(done)} {note}".strip())
        return done_url

    return answer_or_conflict(
        request,
        form,
        write,
        lambda: _show(request, member, form, customers, spent, shown),
        report=report_terms,
    )


def _done_sentence(done: BudgetsSet) -> str:
    number = len(done.budgets)
    text = ngettext("The budget is set.", "%(number)s budgets are set.", number)
    sentences = [text % {"number": number}]
    if done.unfrozen:
        text = ngettext(
            "The account is not frozen any more.",
            "%(number)s accounts are not frozen any more.",
            done.unfrozen,
        )
        sentences.append(text % {"number": done.unfrozen})
    if done.still_frozen:
        text = ngettext(
            "%(number)s account stays frozen: %(provider)s has frozen it.",
            "%(number)s accounts stay frozen: %(provider)s has frozen them.",
            done.still_frozen,
        )
        names = {"number": done.still_frozen, "provider": settings.PROVIDER_NAME}
        sentences.append(text % names)
    return " ".join(sentences)


def _show(
    request: HttpRequest,
    member: PartnerMember,
    form: SetBudgetForm | None,
    customers: list[Association],
    spent: dict[int, Any],
    shown: dict[str, Any],
) -> HttpResponse:
    """Show the form that was rejected, or else a new one."""
    states = customer_states(customers, now=timezone.now())
    rows = [row_of(state, member) | {"month": spent[state.association.pk]} for state in states]
    if form is not None:
        form.show(shown_state(states))
    context = {
        "form": form or SetBudgetForm.for_customers(states, partner=member.partner),
        "lines": rows,
        "resets_at": next_month(member.partner, timezone.now()),
        "provider_froze": any(FreezeCause.ADMINISTRATOR in state.causes for state in states),
        **shown,
    }
    template = "association/console/set_budget.html"
    status = 200 if form is None else 400
    return show(request, member, template, context, section="customers", status=status)


def _show_choice_problem(request: HttpRequest, member: PartnerMember, number: int) -> HttpResponse:
    sentence = (
        _("You can set the budget for up to %(number)s customers at once. Tick fewer.")
        % {"number": MOST_ON_ONE_PAGE}
        if number
        else _("Tick the customers on the list for whom you want to set a budget.")
    )
    context = {
        "sentence": sentence,
        "back_url": reverse("console_customers"),
        "back_label": _("Customers"),
    }
    template = "partners/refused.html"
    return show(request, member, template, context, section="customers", status=400)

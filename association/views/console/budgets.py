"""The console's budgets: for one customer or for several, and unfreezing in the same moment."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause
from accounts.views.answers import posted, see_other
from association.forms import SetBudgetForm
from association.models import Association, BudgetPeriod, OnExhaustion
from association.services.customer_lists import Standing, standings, with_all_shown
from association.services.customers import (
    BudgetTerms,
    CustomerRefused,
    set_budgets,
    still_frozen,
)
from association.services.spending import spent_this_month
from association.views.console.customers import find_customer, standing_of
from association.views.console.refusing import refuse
from association.views.console.showing import back_to, line_of
from partners.models import PartnerMember
from partners.views.gate import for_members, show

MOST_AT_ONCE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def set_budget(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Set one customer's budget; unfreeze when wanted."""
    association = find_customer(member, association_id)
    if not association.is_reseller:
        return refuse(request, member, CustomerRefused("not_reseller", association))
    form, context = _form(request, member, [standing_of(association)])
    context |= back_to(association)
    if form.is_valid():
        done = _set(form, [association], member)
        if isinstance(done, CustomerRefused):
            return refuse(request, member, done)
        messages.success(request, _done_sentence(form, [association]))
        return see_other("console_customer", association.pk)
    return _show(request, member, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def set_several(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Set the same budget for every customer that was ticked on the list: for all or for none."""
    ticked = (request.POST if request.method == "POST" else request.GET).getlist("customer")
    keys = _keys(ticked)
    if not 0 < len(keys) <= MOST_AT_ONCE:
        return _show_choice_problem(request, member, len(keys))
    rows = with_all_shown(member.partner.associations.visible_to(member).filter(pk__in=keys))
    associations = list(rows.order_by("-associated_at", "-pk"))
    if len(associations) != len(keys):
        raise Http404
    for association in associations:
        if not association.is_reseller:
            return refuse(request, member, CustomerRefused("not_reseller", association))
    shown = standings(associations, now=timezone.now())
    form, context = _form(request, member, shown)
    context |= {"back_url": reverse("console_customers"), "back_label": _("Customers")}
    if form.is_valid():
        done = _set(form, associations, member)
        if isinstance(done, CustomerRefused):
            return refuse(request, member, done)
        messages.success(request, _done_sentence(form, associations))
        return see_other("console_customers")
    return _show(request, member, form, context)


def _keys(ticked: Sequence[str]) -> set[int]:
    """Return the customers' keys; what is no key is nobody's customer."""
    if not all(text.isascii() and text.isdigit() and len(text) < 19 for text in ticked):
        raise Http404
    return {int(text) for text in ticked}


def _form(
    request: HttpRequest, member: PartnerMember, shown: list[Standing]
) -> tuple[SetBudgetForm, dict[str, Any]]:
    """Return the form as these customers need it, and what its page shows of them."""
    now = timezone.now()
    rows = [standing.association for standing in shown]
    spent = spent_this_month(rows, partner=member.partner, now=now)
    causes = {freeze.cause for standing in shown for freeze in standing.freezes}
    form = SetBudgetForm(
        posted(request),
        may_unfreeze=bool(causes - {FreezeCause.ADMINISTRATOR}),
        spent={row.account.owner.account_name: spent[row.pk] for row in rows},
        initial=_initial(shown, now) | {"unfreeze": FreezeCause.ASSOCIATION in causes},
    )
    lines = [
        line_of(standing, member) | {"month": spent[standing.association.pk]} for standing in shown
    ]
    return form, {
        "form": form,
        "lines": lines,
        "provider_froze": FreezeCause.ADMINISTRATOR in causes,
    }


def _initial(shown: list[Standing], now: datetime) -> dict[str, Any]:
    """Return what the form begins with: the present budget when there is just one customer."""
    initial: dict[str, Any] = {"shown_at": now.isoformat()}
    budget = shown[0].budget if len(shown) == 1 else None
    if budget is not None:
        amount: Decimal = budget.amount
        initial |= {
            "amount": f"{amount:.2f}",
            "period": budget.period,
            "on_exhaustion": budget.on_exhaustion,
        }
    return initial


def _set(
    form: SetBudgetForm, associations: list[Association], member: PartnerMember
) -> CustomerRefused | None:
    """Set the budgets; return what refused it, if anything did: then nothing was written."""
    given = form.cleaned_data
    try:
        set_budgets(
            associations=associations,
            terms=BudgetTerms(
                amount=given["amount"],
                period=BudgetPeriod(given["period"]),
                on_exhaustion=OnExhaustion(given["on_exhaustion"]),
            ),
            unfreeze=given.get("unfreeze", False),
            reason=given.get("reason", ""),
            shown_at=given["shown_at"],
            by=member.user,
            now=timezone.now(),
        )
    except CustomerRefused as refused:
        return refused
    return None


def _done_sentence(form: SetBudgetForm, associations: Sequence[Association]) -> str:
    number = len(associations)
    text = ngettext("The budget is set.", "%(number)s budgets are set.", number)
    said = [text % {"number": number}]
    if form.cleaned_data.get("unfreeze"):
        # The freezes were loaded before the act: who was free is not counted as freed.
        were_frozen = [row for row in associations if row.account.open_freezes]  # type: ignore[attr-defined] # with_all_shown()
        frozen = still_frozen(were_frozen)
        freed = len(were_frozen) - frozen
        if freed:
            text = ngettext(
                "The account is not frozen any more.",
                "%(number)s accounts are not frozen any more.",
                freed,
            )
            said.append(text % {"number": freed})
        if frozen:
            text = ngettext(
                "%(number)s account stays frozen: %(provider)s has frozen it.",
                "%(number)s accounts stay frozen: %(provider)s has frozen them.",
                frozen,
            )
            said.append(text % {"number": frozen, "provider": settings.PROVIDER_NAME})
    return " ".join(said)


def _show(
    request: HttpRequest, member: PartnerMember, form: SetBudgetForm, context: dict[str, Any]
) -> HttpResponse:
    return show(
        request,
        member,
        "association/console/set_budget.html",
        context,
        section="customers",
        status=400 if form.is_bound else 200,
    )


def _show_choice_problem(request: HttpRequest, member: PartnerMember, number: int) -> HttpResponse:
    """Say that nobody, or too many, were ticked."""
    sentence = (
        _("You can set the budget for up to 100 customers at once. Tick fewer.")
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

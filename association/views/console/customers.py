"""The console's customers: the list, its CSV, the page of one customer, and refused actions."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.enums import FreezeCause, FreezeScope
from accounts.services.capabilities import capability_rows, decide_actions
from association.conflicts import terms_sentences
from association.ending_words import who_ended
from association.enums import AssociationRefusal, CustomerStatus, FrozenAction, Side
from association.forms.filters import CustomerSearchForm
from association.models import Association
from association.refusals import sentence_for
from association.services.budget_requests import with_last_request
from association.services.bulk_customers import PERFORMERS
from association.services.customer_lists import (
    BY_NAME,
    NEWEST_FIRST,
    CustomerState,
    customer_states,
    reveal_customer_address,
    sets_of_customers,
    with_people,
)
from association.services.customer_records import customer_record
from association.services.facts import count_resources
from association.services.freeze_advice import FreezeRow, advise, first_action
from association.views.console.customer_rows import (
    back_to,
    row_of,
    why_frozen,
)
from association.views.console.timeline import timeline_of
from partners.models import PartnerMember
from partners.services.bulk_actions import recent_bulk_actions
from partners.services.pages import Count, Order, count_together, pages_of
from partners.views.downloads import csv_of
from partners.views.gate import for_administrators, for_members, show
from partners.views.lists import asked_for, filters_of, is_filtered, listing
from partners.views.refusing import actor_name, refusal_page
from web.answers import posts_only
from web.form_keys import earlier_answer
from web.refused import Refused
from web.security_log import log_security_event
from web.shown_versions import ChangedMeanwhile
from web.versioned_forms import VersionedForm

ROWS_READ_AT_ONCE = 500


@require_safe
@for_members
def customers(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    return show_customers(request, member)


def show_customers(
    request: HttpRequest, member: PartnerMember, bulk_error: str = ""
) -> HttpResponse:
    """Show the list; `bulk_error` says why nothing became of an action on its rows."""
    form = search_form(request, member)
    sets = sets_of_customers(member, filters_of(form))
    found = listing(request, form, *sets, order=_order(form), load=with_people)
    states = _states_of(found.page.rows, member)
    lines = [row_of(state, member) for state in states]
    context = {
        "listing": found,
        "bulk_error": bulk_error,
        "lines": lines,
        "ended": None if lines else _count_ended(request, form, member),
        "can_act": any(line["can_act"] for line in lines),
        "bulk_actions": recent_bulk_actions(member, PERFORMERS, now=timezone.now()),
        "csv_url": f"{reverse('console_customers_csv')}?{asked_for(request.GET).urlencode()}",
    }
    return show(request, member, "association/console/customers.html", context, section="customers")


def _count_ended(
    request: HttpRequest, form: CustomerSearchForm, member: PartnerMember
) -> tuple[Count, str] | None:
    """Return how many ended customers match, which the list leaves out unless asked, and where."""
    filters = filters_of(form)
    if not is_filtered(form) or "status" in filters:
        return None
    count = count_together(sets_of_customers(member, {**filters, "status": CustomerStatus.ENDED}))
    query = asked_for(request.GET)
    query["status"] = CustomerStatus.ENDED
    return (count, f"{reverse('console_customers')}?{query.urlencode()}") if count.number else None


@require_safe
@for_administrators
def customers_csv(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Download all customers that the list shows; written to the log, not to a row."""
    form = search_form(request, member)
    sets = sets_of_customers(member, filters_of(form))
    log_security_event("customers.exported", partner=member.partner_id, member=member.pk)
    header = [
        *(_("Customer"), _("Reference"), _("Account name"), _("E-mail"), _("Type")),
        *(_("Since"), _("Status"), _("Frozen since"), _("Frozen")),
        *(_("Budget"), _("Period"), _("Used"), _("Currency"), _("Manager")),
        *(_("Ended"), _("Reason for the end")),
    ]
    pages = pages_of(*sets, load=with_people, order=_order(form), size=ROWS_READ_AT_ONCE)
    states = (state for page in pages for state in _states_of(page, member))
    return csv_of(member, "customers", header, (_csv_row(state, member) for state in states))


def _states_of(rows: Sequence[Association], member: PartnerMember) -> list[CustomerState]:
    for row in rows:
        # Of a page that was cut from several sets the rows are read without their partner.
        row.partner = member.partner
    return customer_states(rows, now=timezone.now())


def _csv_row(state: CustomerState, member: PartnerMember) -> list[Any]:
    row, shown = state.association, row_of(state, member)
    return [
        shown["name"],
        row.reference,
        shown["account_name"],
        shown["address"],
        capfirst(row.get_association_type_display()),
        row.associated_at,
        shown["status"],
        state.frozen_since,
        shown["frozen_by"],
        f"{state.budget.amount:.2f}" if state.budget else "",
        state.budget.get_period_display() if state.budget else "",
        "" if state.spent is None else f"{state.spent:.2f}",
        settings.CURRENCY if state.budget else "",
        shown["manager"],
        row.ended_at,
        row.end_reason,
    ]


@require_safe
@for_members
def customer(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    return _show_customer(request, member, _find_any(member, association_id))


@for_members
@posts_only("console_customer", "association_id")
def reveal(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Show the page with the whole address, this once."""
    if not member.may_reveal_addresses:
        raise Http404
    found = _find_any(member, association_id)
    address = reveal_customer_address(association=found, by=member.user, now=timezone.now())
    return _show_customer(request, member, found, address=address)


def _show_customer(
    request: HttpRequest, member: PartnerMember, association: Association, **shown: str
) -> HttpResponse:
    """Show everything about one customer; `shown` has what is shown otherwise than usual."""
    record = customer_record(association)
    latest = record.authorizations[0] if record.authorizations else None
    context = {
        **_state_context(association, member),
        "attempt": record.attempt,
        "sees_attempt": member.is_administrator or record.attempt.invited_by_id == member.user_id,
        "consents": record.consents,
        "authorization": latest,
        "end_request": next((row for row in record.end_requests if row.is_open), None),
        "timeline": timeline_of(record, association, member),
        "is_cut": record.is_cut,
        "is_masked": not member.sees_addresses and not shown,
        **shown,
    }
    return show(request, member, "association/console/customer.html", context, section="customers")


def find_customer(member: PartnerMember, association_id: int) -> Association:
    """Return the customer for an action; 404 for members who may not see it.

    Raises Refused: ENDED.
    """
    association = _find_any(member, association_id)
    if association.has_ended:
        raise Refused(AssociationRefusal.ENDED, association=association)
    return association


def _find_any(member: PartnerMember, association_id: int) -> Association:
    """Return the customer with owner and manager, also after the end."""
    rows = with_people(with_last_request(member.partner.associations.visible_to(member)))
    found: Association = get_object_or_404(rows, pk=association_id)
    return found


def state_of(association: Association) -> CustomerState:
    [state] = customer_states([association], now=timezone.now())
    return state


def _state_context(association: Association, member: PartnerMember) -> dict[str, Any]:
    state = state_of(association)
    rows = advise(state.freezes, budget=state.budget, used=state.spent)
    existing, running = 0, 0
    if not association.has_ended:
        existing, running = count_resources(account_id=association.account_id)
    actions = decide_actions(
        account=association.account,
        freezes=state.freezes,
        is_owner_active=association.account.owner.is_active,
    )
    may_lift = bool(state.causes - {FreezeCause.ADMINISTRATOR})
    return {
        **row_of(state, member),
        "account": association.account,
        "state": state,
        # Refunds can take what is used below nothing, which no bar can show.
        "used": max(state.spent or 0, 0),
        "freeze_lines": why_frozen(rows, association),
        "capabilities": capability_rows(actions, has_resources=bool(existing)),
        "running_resources": running,
        "resources_run_on": bool(running) and state.scope == FreezeScope.ACCOUNT,
        "provider_froze": FreezeCause.ADMINISTRATOR in state.causes,
        # Where resources of a frozen account run, a notice offers to freeze them too.
        "can_freeze": not state.freezes and not member.partner.is_frozen,
        "is_used_up": first_action(rows) == FrozenAction.RAISE_BUDGET,
        "can_unfreeze": may_lift and state.budget is not None,
        "asked": _open_ask(association, state, rows),
        "who_ended": who_ended(association, reader=Side.PARTNER) if association.has_ended else "",
        "back_url": reverse("console_customers"),
        "back_label": _("Customers"),
    }


def _open_ask(
    association: Any, state: CustomerState, rows: Sequence[FreezeRow]
) -> dict[str, Any] | None:
    """Return what the customer last asked for and when, as long as it would still help.

    A budget that was set since is an answer, also when it was not enough.
    """
    asked_for, asked_at = association.asked_for, association.asked_at
    if asked_for not in {row.action for row in rows}:
        return None
    is_answered = state.budget is not None and state.budget.set_at > asked_at
    if is_answered and asked_for != FrozenAction.UNFREEZE:
        return None
    return {"for": asked_for, "at": asked_at}


def search_form(request: HttpRequest, member: PartnerMember) -> CustomerSearchForm:
    """Return the filters; only administrators see customers of several managers."""
    members = member.partner.members.select_related("user").order_by("user__email", "pk")
    return CustomerSearchForm(request.GET, members=list(members) if member.is_administrator else [])


def _order(form: CustomerSearchForm) -> Order:
    return BY_NAME if form.cleaned_data.get("order") == "name" else NEWEST_FIRST


def answers_refusals(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """Answer 409 (429 with a moment to retry) when a POST of the view raises Refused.

    A repeated POST gets its first answer, even if its form is invalid by now.
    A page that cannot offer its form raises it too, and is answered 200 like any page; after the
    end, when links in old e-mails lead here, with the customer's page. The context of the refusal
    names the association.
    """

    @wraps(view)
    def answer(request: HttpRequest, member: PartnerMember, **options: Any) -> HttpResponseBase:
        try:
            page = view(request, member, **options)
        except Refused as refused:
            association: Association = refused.context["association"]
            if refused.code == AssociationRefusal.ENDED and request.method != "POST":
                return redirect("console_customer", association.pk)
            budget_url = reverse("console_set_budget", args=[association.pk])
            page = refusal_page(
                request,
                member,
                sentence_for(refused),
                section="customers",
                again_at=refused.again_at,
                name=association.shown_name,
                budget_url=budget_url if refused.code == AssociationRefusal.NO_BUDGET else "",
                **back_to(association),
            )
        is_rejected = request.method == "POST" and page.status_code >= 400
        return (earlier_answer(request) if is_rejected else None) or page

    return answer


def report_terms(form: VersionedForm, changed: ChangedMeanwhile) -> None:
    """Say in the form what became of budgets and freezes; it shows the present ones."""
    form.show(changed.values)
    form.report_sentences(terms_sentences(changed.names, actor_name))

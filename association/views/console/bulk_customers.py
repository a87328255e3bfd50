"""The console's actions on many customers: chosen on the list, and confirmed."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.enums import FreezeCause, FreezeScope
from association.enums import CustomerStatus
from association.forms.bulk import (
    BudgetManyForm,
    FreezeManyForm,
    ManagerManyForm,
    UnfreezeManyForm,
)
from association.models.associations import AssociationQuerySet
from association.refusals import SENTENCES
from association.services.bulk_customers import (
    PERFORMERS,
    obstacle,
    present_state,
    without_obstacle,
)
from association.services.customer_lists import (
    CustomerState,
    customer_states,
    find_customers,
    with_people,
)
from association.services.spending import spent_this_month
from association.views.console.customer_rows import STATUSES, frozen_by
from association.views.console.customers import search_form, show_customers
from partners.enums import BudgetPeriod, BulkKind
from partners.forms.bulk import BulkForm
from partners.models import BulkAction, PartnerMember
from partners.refusals import SENTENCES as SENTENCES_OF_PARTNERS
from partners.services.bulk_actions import MOST_ROWS
from partners.views.bulk import (
    ALL,
    BulkSubject,
    Name,
    answer_bulk_action,
    bulk_action_of,
    choose,
    outcomes_csv,
    sent_kind,
    ticked_keys,
)
from partners.views.gate import for_members
from partners.views.lists import all_filters_of
from web.answers import posted, posts_only
from web.moments import moment_text
from web.templatetags.money import money

SECTION = "customers"
ALL_SENTENCES: Mapping[Any, Any] = {**SENTENCES, **SENTENCES_OF_PARTNERS}


def names_of(member: PartnerMember, keys: Collection[int]) -> Mapping[int, Name]:
    return {
        key: Name(name, reverse("console_customer", args=[key]))
        for key, name in _rows_of(member, keys).values_list("pk", "shown_name")
    }


def facts_of(member: PartnerMember, kind: BulkKind, keys: Collection[int]) -> Mapping[int, str]:
    """Return, before budgets are set, what each customer has now and has spent this month."""
    if kind != BulkKind.SET_BUDGET:
        return {}
    rows, now = list(with_people(_rows_of(member, keys))), timezone.now()
    spent = spent_this_month(rows, partner=member.partner, now=now)
    return {
        state.association.pk: _facts(state, spent[state.association.pk])
        for state in customer_states(rows, now=now)
    }


def _facts(state: CustomerState, spent: Decimal) -> str:
    is_waiting = state.status == CustomerStatus.WAITING
    sentences = [] if state.status == CustomerStatus.FROZEN else [f"{STATUSES[state.status][0]}."]
    for freeze in state.freezes:
        # Who waits for a budget is frozen by joining: that goes without saying.
        if not (is_waiting and freeze.cause == FreezeCause.ASSOCIATION):
            values = {"by": frozen_by(freeze), "moment": moment_text(freeze.frozen_at)}
            sentences.append(_("Frozen %(by)s on %(moment)s.") % values)
    if state.budget:
        text = _("Present budget: %(amount)s, %(period)s.")
        values = {"amount": money(state.budget.amount)}
        sentences.append(text % {**values, "period": state.budget.get_period_display()})
    sentences.append(_("Spent this month: %(spent)s.") % {"spent": money(spent)})
    return " ".join(sentences)


def _rows_of(member: PartnerMember, keys: Any) -> AssociationQuerySet:
    rows: AssociationQuerySet = member.partner.associations.visible_to(member)
    return rows.filter(pk__in=keys)


def possible(member: PartnerMember, kind: BulkKind) -> AssociationQuerySet:
    return without_obstacle(member.partner.associations.visible_to(member), kind)


def obstacles_of(member: PartnerMember, kind: BulkKind, keys: Collection[int]) -> Mapping[int, str]:
    states = customer_states(list(with_people(_rows_of(member, keys))), now=timezone.now())
    found = {state.association.pk: obstacle(state, kind) for state in states}
    return {key: str(SENTENCES[code]) for key, code in found.items() if code is not None}


def terms_of(member: PartnerMember, action: BulkAction) -> str:
    terms = action.terms
    match action.kind:
        case BulkKind.SET_BUDGET:
            budget = {
                "amount": money(Decimal(terms["amount"])),
                "period": BudgetPeriod(terms["period"]).label,
            }
            text = _("Budget: %(amount)s, %(period)s; unfrozen at once.")
            if not terms["unfreeze"]:
                text = _("Budget: %(amount)s, %(period)s; frozen accounts stay frozen.")
            return text % budget
        case BulkKind.FREEZE:
            return _("Frozen: %(scope)s.") % {"scope": FreezeScope(terms["scope"]).label}
        case BulkKind.ASSIGN_MANAGER:
            return _("Manager: %(name)s.") % {"name": _manager_name(member, terms["manager"])}
    return ""


def _manager_name(member: PartnerMember, key: int | None) -> str:
    if key is None:
        return _("none")
    manager = member.partner.members.select_related("user").filter(pk=key).first()
    return _("a former member") if manager is None else manager.user.email


SUBJECT = BulkSubject(
    section=SECTION,
    list_page="console_customers",
    action_page="console_bulk_customers",
    performers=PERFORMERS,
    titles={
        BulkKind.SET_BUDGET: ngettext_lazy(
            "Set a budget for %(number)s customer",
            "Set a budget for %(number)s customers",
            "number",
        ),
        BulkKind.FREEZE: ngettext_lazy(
            "Freeze %(number)s customer", "Freeze %(number)s customers", "number"
        ),
        BulkKind.UNFREEZE: ngettext_lazy(
            "Unfreeze %(number)s customer", "Unfreeze %(number)s customers", "number"
        ),
        BulkKind.ASSIGN_MANAGER: ngettext_lazy(
            "Assign a manager to %(number)s customer",
            "Assign a manager to %(number)s customers",
            "number",
        ),
    },
    effects="association/console/_bulk_effects.html",
    possible=possible,
    obstacles_of=obstacles_of,
    terms_of=terms_of,
    names_of=names_of,
    facts_of=facts_of,
    sentence_of=lambda code: str(ALL_SENTENCES[code]),
)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@posts_only("console_customers")
def choose_customers(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Choose the ticked customers, or with `all` those that match the filters in the address."""
    kind = sent_kind(request, SUBJECT)
    if kind == BulkKind.ASSIGN_MANAGER and not member.is_administrator:
        raise Http404
    page = partial(show_customers, request, member)
    return choose(request, member, SUBJECT, kind, lambda: _chosen_keys(request, member), page=page)


def _chosen_keys(request: HttpRequest, member: PartnerMember) -> list[int]:
    """Raises Refused if all that match are chosen, and a filter is no longer possible."""
    if not request.POST.get(ALL):
        return ticked_keys(request, member.partner.associations.visible_to(member))
    found = find_customers(member, all_filters_of(search_form(request, member)))
    ordered = found.order_by("-associated_at", "-pk").values_list("pk", flat=True)
    return list(ordered[: MOST_ROWS + 1])


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def bulk_customers(
    request: HttpRequest, member: PartnerMember, bulk_action_id: int
) -> HttpResponse:
    action = bulk_action_of(member, SUBJECT, bulk_action_id)
    return answer_bulk_action(request, member, SUBJECT, action, _form(request, member, action))


@require_safe
@for_members
def bulk_customers_csv(
    request: HttpRequest, member: PartnerMember, bulk_action_id: int
) -> HttpResponseBase:
    return outcomes_csv(member, SUBJECT, bulk_action_of(member, SUBJECT, bulk_action_id))


def _form(request: HttpRequest, member: PartnerMember, action: BulkAction) -> BulkForm:
    data = posted(request)
    match kind := BulkKind(action.kind):
        case BulkKind.SET_BUDGET:
            rows = possible(member, kind).filter(pk__in=action.rows.values("object_id"))
            return BudgetManyForm(data, partner=member.partner, present=present_state(rows))
        case BulkKind.ASSIGN_MANAGER:
            members = member.partner.members.select_related("user").order_by("user__email", "pk")
            return ManagerManyForm(data, members=list(members))
        case BulkKind.FREEZE:
            return FreezeManyForm(data)
    return UnfreezeManyForm(data)

"""The console's actions on many customers: chosen on the list, and confirmed."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from association.enums import CustomerStatus
from association.forms.bulk import (
    BudgetManyForm,
    FreezeManyForm,
    ManagerManyForm,
    UnfreezeManyForm,
)
from association.models.associations import AssociationQuerySet
from association.refusals import SENTENCES
from association.services.bulk_customers import PERFORMERS
from association.services.customer_lists import find_customers
from association.views.console.budgets import MOST_ON_ONE_PAGE
from association.views.console.customers import search_form
from partners.enums import AssociationType, BulkKind
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
from partners.views.lists import all_filters_of, asked_for
from web.answers import posted, posts_only, see_other

SECTION = "customers"
ALL_SENTENCES: Mapping[Any, Any] = {**SENTENCES, **SENTENCES_OF_PARTNERS}


def names_of(member: PartnerMember, keys: Collection[int]) -> Mapping[int, Name]:
    rows = member.partner.associations.visible_to(member).filter(pk__in=keys)
    return {
        key: Name(name, reverse("console_customer", args=[key]))
        for key, name in rows.values_list("pk", "shown_name")
    }


def possible(member: PartnerMember, kind: BulkKind) -> AssociationQuerySet:
    rows: AssociationQuerySet = member.partner.associations.visible_to(member).in_force()
    if kind == BulkKind.ASSIGN_MANAGER:
        return rows
    rows = rows.filter(association_type=AssociationType.RESELLER)
    return rows.filter(status=CustomerStatus.FROZEN) if kind == BulkKind.UNFREEZE else rows


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
    names_of=names_of,
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
    back_url = f"{reverse('console_customers')}?{asked_for(request.GET).urlencode()}"
    if request.POST.get(ALL):
        return choose(
            request,
            member,
            SUBJECT,
            kind,
            lambda: _keys_that_match(request, member),
            back_url=back_url,
        )
    keys = ticked_keys(request, member.partner.associations.visible_to(member))
    if kind == BulkKind.SET_BUDGET and _can_all_be_shown(member, keys):
        # That page shows what each of them has now, and sets all budgets or none.
        query = urlencode([("customer", key) for key in keys])
        return see_other(f"{reverse('console_set_budgets')}?{query}")
    return choose(request, member, SUBJECT, kind, lambda: keys, back_url=back_url)


def _keys_that_match(request: HttpRequest, member: PartnerMember) -> list[int]:
    """Raises Refused if a filter is no longer possible."""
    found = find_customers(member, all_filters_of(search_form(request, member)))
    ordered = found.order_by("-associated_at", "-pk").values_list("pk", flat=True)
    return list(ordered[: MOST_ROWS + 1])


def _can_all_be_shown(member: PartnerMember, keys: Collection[int]) -> bool:
    possible_count = possible(member, BulkKind.SET_BUDGET).filter(pk__in=keys).count()
    return 0 < len(keys) <= MOST_ON_ONE_PAGE and possible_count == len(keys)


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
    match action.kind:
        case BulkKind.SET_BUDGET:
            return BudgetManyForm(data, partner=member.partner)
        case BulkKind.ASSIGN_MANAGER:
            members = member.partner.members.select_related("user").order_by("user__email", "pk")
            return ManagerManyForm(data, members=list(members))
        case BulkKind.FREEZE:
            return FreezeManyForm(data)
    return UnfreezeManyForm(data)

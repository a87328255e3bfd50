"""The console's search: customers, people who tried to join, invitations and batches."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from association.forms.filters import SearchForm
from association.services.customer_lists import (
    EVERY_STATUS,
    NEWEST_FIRST,
    customer_states,
    find_customers,
    with_people,
)
from association.services.history import NEWEST_FIRST as NEWEST_ATTEMPT
from association.services.history import find_lately
from association.views.console import attempt_rows, customer_rows
from partners.models import PartnerMember
from partners.services.invitation_search import find_invitations
from partners.services.pages import Order, page_of
from partners.views.gate import for_members, show
from partners.views.lists import filters_of, is_short_search
from partners.views.shared import batches_of, state_of

SHOWN = 5
NEWEST_MADE = Order("created_at")


@require_safe
@for_members
def search(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """Show the first of each kind; their lists have the others. Nothing typed finds nothing."""
    form = SearchForm(request.GET)
    filters = filters_of(form)
    found = _find(member, filters) if "q" in filters else {}
    if not request.GET:
        # Who comes from the menu, or with the key "/", types next.
        form.fields["q"].widget.attrs["autofocus"] = True
    context = {
        "form": form,
        "q": filters.get("q", ""),
        "is_short": is_short_search(form),
        **found,
    }
    return show(request, member, "association/console/search.html", context, section="search")


def _find(member: PartnerMember, filters: Any) -> dict[str, Any]:
    now = timezone.now()
    people = with_people(find_customers(member, {**filters, "status": EVERY_STATUS}))
    customers = page_of(people, order=NEWEST_FIRST, size=SHOWN)
    tried = find_lately(member=member, text=filters["q"])
    attempts = page_of(tried, order=NEWEST_ATTEMPT, size=SHOWN)
    offers = find_invitations(member, filters, now=now).select_related("partner")
    invitations = page_of(offers, order=NEWEST_MADE, size=SHOWN)
    named = batches_of(member).called(filters["q"])
    batches = page_of(named, order=NEWEST_MADE, size=SHOWN)
    return {
        "customers": [
            customer_rows.row_of(state, member)
            for state in customer_states(customers.rows, now=now)
        ],
        "more_customers": bool(customers.after),
        "attempts": [attempt_rows.row_of(row, member) for row in attempts.rows],
        "more_attempts": bool(attempts.after),
        "invitations": [(row, state_of(row, now)) for row in invitations.rows],
        "more_invitations": bool(invitations.after),
        "batches": batches.rows,
        "more_batches": bool(batches.after),
        "nothing": not (customers.rows or attempts.rows or invitations.rows or batches.rows),
    }

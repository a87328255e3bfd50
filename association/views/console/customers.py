"""The console's customers: the list, and one with all that the partner may know and do."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import FreezeCause, FreezeScope, ResourceStatus
from accounts.services.capabilities import capability_rows
from accounts.services.security_log import log_security_event
from accounts.views.downloads import csv_download
from association.forms import CustomerSearchForm
from association.models import Association
from association.services.budget_requests import with_last_request
from association.services.customer_lists import (
    NEWEST_FIRST,
    Standing,
    all_standings,
    find_customers,
    standings,
    with_all_shown,
)
from association.services.customer_record import customer_record
from association.views.console.showing import (
    STATES,
    act_lines,
    address_of,
    authorization_lines,
    budget_lines,
    freeze_lines,
    line_of,
)
from partners.models import PartnerMember
from partners.views.gate import for_administrators, for_members, show
from partners.views.lists import asked_for, filters_of, listing


@require_safe
@for_members
def customers(request: HttpRequest, member: PartnerMember) -> HttpResponse:
    """List the customers, newest first."""
    form = _search_form(request, member)
    rows = find_customers(member.partner.associations.visible_to(member), filters_of(form))
    found = listing(request, form, with_all_shown(rows), order=NEWEST_FIRST)
    shown = standings(found.page.rows, now=timezone.now())
    context = {
        "listing": found,
        "lines": [line_of(standing, member) for standing in shown],
        "can_budget": any(standing.association.is_reseller for standing in shown),
        "csv_url": f"{reverse('console_customers_csv')}?{asked_for(request.GET).urlencode()}",
    }
    return show(request, member, "association/console/customers.html", context, section="customers")


@require_safe
@for_administrators
def customers_csv(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Download all customers that the list shows; written to the log, not to a row."""
    form = _search_form(request, member)
    rows = find_customers(member.partner.associations.visible_to(member), filters_of(form))
    log_security_event("customers.exported", partner=member.partner_id, member=member.pk)
    header = [
        *(_("Account name"), _("E-mail"), _("Type"), _("Customer since"), _("Status")),
        *(_("Frozen since"), _("Budget"), _("Used"), _("Currency"), _("Manager")),
    ]
    all_rows = all_standings(rows, now=timezone.now())
    return csv_download("customers", header, _csv_rows(all_rows, member))


def _csv_rows(rows: Iterator[Standing], member: PartnerMember) -> Iterator[list[Any]]:
    """The moments are in UTC: the partner's time zone is over when the rows are written."""
    for standing in rows:
        row, since = standing.association, standing.frozen_since
        yield [
            row.account.owner.account_name,
            address_of(row, member),
            row.association_type,
            row.associated_at.isoformat(timespec="seconds"),
            standing.state,
            since.isoformat(timespec="seconds") if since else "",
            f"{standing.budget.amount:.2f}" if standing.budget else "",
            "" if standing.spent is None else f"{standing.spent:.2f}",
            settings.CURRENCY if standing.budget else "",
            row.manager.user.email if row.manager else "",
        ]


@require_safe
@for_members
def customer(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Show how the customer stands, what the partner may know, and what was done."""
    association = find_customer(member, association_id)
    context = {**_standing_context(association, member), **_past_context(association)}
    return show(request, member, "association/console/customer.html", context, section="customers")


def find_customer(member: PartnerMember, association_id: int) -> Association:
    """Return the customer with all that pages about one show; 404 for whom it does not exist."""
    rows = with_all_shown(with_last_request(member.partner.associations.visible_to(member)))
    found: Association = get_object_or_404(rows, pk=association_id)
    return found


def standing_of(association: Association) -> Standing:
    """Return how a customer stands that `find_customer()` found."""
    [standing] = standings([association], now=timezone.now())
    return standing


def _standing_context(association: Association, member: PartnerMember) -> dict[str, Any]:
    standing = standing_of(association)
    running = association.account.resources.filter(status=ResourceStatus.RUNNING).count()
    causes = {freeze.cause for freeze in standing.freezes}
    label, kind = STATES[standing.state]
    return {
        "association": association,
        "account": association.account,
        "account_name": association.account.owner.account_name,
        "address": address_of(association, member),
        "standing": standing,
        # Refunds can take what is used below nothing, which no bar can show.
        "used": max(standing.spent or 0, 0),
        "state": label,
        "kind": kind,
        "capabilities": capability_rows(standing.freezes),
        "running_resources": running,
        "resources_run_on": bool(running) and standing.scope == FreezeScope.ACCOUNT,
        "provider_froze": FreezeCause.ADMINISTRATOR in causes,
        "can_unfreeze": bool(causes - {FreezeCause.ADMINISTRATOR}) and standing.budget is not None,
        "asked_at": _open_request(association, standing),
        "back_url": reverse("console_customers"),
        "back_label": _("Customers"),
    }


def _open_request(association: Any, standing: Standing) -> datetime | None:
    """Return when the frozen customer asked for a budget, unless one was set since."""
    asked_at: datetime | None = association.asked_at
    if asked_at is None or standing.state == "free":
        return None
    is_answered = standing.budget is not None and standing.budget.set_at > asked_at
    return None if is_answered else asked_at


def _past_context(association: Association) -> dict[str, Any]:
    record = customer_record(association)
    return {
        "freezes": freeze_lines(record.freezes, association),
        "budgets": budget_lines(record.budgets, association),
        "authorizations": authorization_lines(record.authorizations, association),
        "acts": act_lines(record.acts, association),
    }


def _search_form(request: HttpRequest, member: PartnerMember) -> CustomerSearchForm:
    """A manager has one manager's customers and is not asked whose."""
    members = member.partner.members.select_related("user").order_by("user__email", "pk")
    return CustomerSearchForm(request.GET, members=list(members) if member.is_administrator else [])

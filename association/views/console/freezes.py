"""The console's forms to freeze and unfreeze one customer and to choose its manager."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause, FreezeScope, ResourceStatus
from accounts.models import Freeze
from association.enums import AssociationRefusal
from association.forms import ManagerForm, PartnerFreezeForm, UnfreezeForm
from association.models import Association
from association.services.customers import assign_manager, freeze_customer, unfreeze_customer
from association.views.console.customer_rows import back_to, freeze_rows
from association.views.console.customers import find_customer, state_of
from association.views.console.refusing import answers_refusals
from partners.models import PartnerMember
from partners.views.gate import for_administrators, for_members, show
from web.answers import posted
from web.form_keys import answer_once
from web.refused import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def freeze(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Freeze the customer, with a reason. Another reason for the open freeze is a conflict."""
    customer = find_customer(member, association_id)
    if not customer.is_reseller:
        raise Refused(AssociationRefusal.NOT_RESELLER, association=customer)
    own = customer.account.freezes.open().filter(cause=FreezeCause.PARTNER).first()
    scope = request.GET.get("scope")
    initial = {"scope": scope if scope in FreezeScope.values else FreezeScope.ACCOUNT}
    form = PartnerFreezeForm(posted(request), initial=initial)
    if not form.is_valid():
        context = _freeze_context(customer, own) | {"form": form}
        return _show(request, member, "freeze", context, status=400 if form.is_bound else 200)

    try:
        return answer_once(
            request, "console_freeze", lambda: _freeze(request, member, customer, own, form)
        )
    except _OtherReason:
        context = _freeze_context(customer, own) | {"form": form, "is_dropped": True}
        return _show(request, member, "freeze", context, status=409)


class _OtherReason(Exception):
    """The account was frozen already, for another reason than the one typed."""


def _freeze(
    request: HttpRequest,
    member: PartnerMember,
    customer: Association,
    before: Freeze | None,
    form: PartnerFreezeForm,
) -> str:
    """Freeze, and return the address of the next page. Raises _OtherReason."""
    after = freeze_customer(
        association=customer,
        scope=FreezeScope(form.cleaned_data["scope"]),
        reason=form.cleaned_data["reason"],
        by=member.user,
        now=timezone.now(),
    )
    if after.reason != form.cleaned_data["reason"]:
        raise _OtherReason
    if before is not None and (before.pk, before.scope) == (after.pk, after.scope):
        messages.info(request, _("You had frozen the account already. Nothing has changed."))
    else:
        messages.success(request, _("The account is frozen. The customer is told by mail."))
    return resolve_url("console_customer", customer.pk)


def _freeze_context(customer: Association, own: Freeze | None) -> dict[str, Any]:
    running = customer.account.resources.filter(status=ResourceStatus.RUNNING).count()
    return {
        "association": customer,
        "account_name": customer.account.owner.account_name,
        "running_resources": running,
        "frozen_by_partner": own,
        "is_widest": own is not None and own.scope == FreezeScope.ACCOUNT_AND_RESOURCES,
        **back_to(customer),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def unfreeze(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Lift every freeze that the partner may lift, with a reason."""
    customer = find_customer(member, association_id)
    state = state_of(customer)
    if not customer.is_reseller:
        raise Refused(AssociationRefusal.NOT_RESELLER, association=customer)
    if state.budget is None:
        raise Refused(AssociationRefusal.NO_BUDGET, association=customer)
    form = UnfreezeForm(posted(request))
    if form.is_valid():

        def write() -> str:
            closed = unfreeze_customer(
                association=customer,
                reason=form.cleaned_data["reason"],
                by=member.user,
                now=timezone.now(),
            )
            messages.success(request, _unfrozen_sentence(customer, closed))
            return resolve_url("console_customer", customer.pk)

        return answer_once(request, "console_unfreeze", write)
    provider_freezes = [row for row in state.freezes if row.cause == FreezeCause.ADMINISTRATOR]
    lifted = [row for row in state.freezes if row not in provider_freezes]
    context = {
        "form": form,
        "account_name": customer.account.owner.account_name,
        "lifted": freeze_rows(lifted, customer),
        "provider_freezes": provider_freezes,
        **back_to(customer),
    }
    return _show(request, member, "unfreeze", context, status=400 if form.is_bound else 200)


def _unfrozen_sentence(customer: Association, closed: list[Freeze]) -> str:
    if not closed:
        return _("There was no freeze left that you may lift.")
    if customer.account.freezes.open().exists():
        return _(
            "Your freezes are lifted. The account stays frozen: %(provider)s has frozen it."
        ) % {"provider": settings.PROVIDER_NAME}
    return _("The account is unfrozen. The customer is told by mail.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
@answers_refusals
def manager(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Choose which member looks after the customer."""
    customer = find_customer(member, association_id)
    members = member.partner.members.select_related("user").order_by("user__email", "pk")
    initial = {"manager": customer.manager_id or ""}
    form = ManagerForm(posted(request), members=list(members), initial=initial)
    if form.is_valid():

        def write() -> str:
            assign_manager(
                association=customer,
                manager=form.chosen_member(),
                by=member.user,
                now=timezone.now(),
            )
            messages.success(request, _("The manager is saved."))
            return resolve_url("console_customer", customer.pk)

        return answer_once(request, "console_assign_manager", write)
    account_name = customer.account.owner.account_name
    context = {"form": form, "account_name": account_name, **back_to(customer)}
    return _show(request, member, "manager", context, status=400 if form.is_bound else 200)


def _show(
    request: HttpRequest, member: PartnerMember, page: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    template = f"association/console/{page}.html"
    return show(request, member, template, context, section="customers", status=status)

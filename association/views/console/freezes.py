"""The console's freezes: stopping a customer, letting them go on, and who looks after them."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause, FreezeScope, ResourceStatus
from accounts.models import Freeze
from accounts.services.capabilities import widest_scope
from accounts.views.answers import posted, see_other
from association.forms import ManagerForm, PartnerFreezeForm, UnfreezeForm
from association.models import Association
from association.services.customers import (
    CustomerRefused,
    assign_manager,
    freeze_customer,
    still_frozen,
    unfreeze_customer,
)
from association.views.console.customers import find_customer, standing_of
from association.views.console.refusing import refuse
from association.views.console.showing import back_to, freeze_lines
from partners.models import PartnerMember
from partners.views.gate import for_administrators, for_members, show


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def freeze(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Freeze the customer, with a reason; a second time changes nothing."""
    association = find_customer(member, association_id)
    if not association.is_reseller:
        return refuse(request, member, CustomerRefused("not_reseller", association))
    asked = request.GET.get("scope")
    initial = {"scope": asked if asked in FreezeScope.values else FreezeScope.ACCOUNT}
    form = PartnerFreezeForm(posted(request), initial=initial)
    context = {"form": form, **_freeze_context(association), **back_to(association)}
    if form.is_valid():
        try:
            frozen = freeze_customer(
                association=association,
                scope=FreezeScope(form.cleaned_data["scope"]),
                reason=form.cleaned_data["reason"],
                by=member.user,
                now=timezone.now(),
            )
        except CustomerRefused as refused:
            return refuse(request, member, refused)
        if frozen.reason != form.cleaned_data["reason"]:
            return _show_freeze(request, member, context | {"is_dropped": True}, status=409)
        if _is_as_before(context["frozen_by_partner"], frozen):
            messages.info(request, _("You had frozen the account already. Nothing has changed."))
        else:
            messages.success(request, _("The account is frozen. The customer is told by mail."))
        return see_other("console_customer", association.pk)
    return _show_freeze(request, member, context, status=400 if form.is_bound else 200)


def _show_freeze(
    request: HttpRequest, member: PartnerMember, context: dict[str, Any], *, status: int
) -> HttpResponse:
    template = "association/console/freeze.html"
    return show(request, member, template, context, section="customers", status=status)


def _is_as_before(before: Freeze | None, after: Freeze) -> bool:
    return before is not None and (before.pk, before.scope) == (after.pk, after.scope)


def _freeze_context(association: Association) -> dict[str, Any]:
    freezes = association.account.open_freezes  # type: ignore[attr-defined] # with_all_shown()
    own = [freeze for freeze in freezes if freeze.cause == FreezeCause.PARTNER]
    running = association.account.resources.filter(status=ResourceStatus.RUNNING).count()
    return {
        "association": association,
        "account_name": association.account.owner.account_name,
        "running_resources": running,
        "frozen_by_partner": own[0] if own else None,
        "is_widest": widest_scope(own) == FreezeScope.ACCOUNT_AND_RESOURCES,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def unfreeze(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Lift every freeze that the partner may lift, with a reason; a second time does nothing."""
    association = find_customer(member, association_id)
    standing = standing_of(association)
    if not association.is_reseller or standing.budget is None:
        code = "no_budget" if association.is_reseller else "not_reseller"
        return refuse(request, member, CustomerRefused(code, association))
    form = UnfreezeForm(posted(request))
    if form.is_valid():
        try:
            closed = unfreeze_customer(
                association=association,
                reason=form.cleaned_data["reason"],
                by=member.user,
                now=timezone.now(),
            )
        except CustomerRefused as refused:
            return refuse(request, member, refused)
        messages.success(request, _unfrozen_sentence(association, lifted=bool(closed)))
        return see_other("console_customer", association.pk)
    kept = [freeze for freeze in standing.freezes if freeze.cause == FreezeCause.ADMINISTRATOR]
    lifted = [freeze for freeze in standing.freezes if freeze not in kept]
    context = {
        "form": form,
        "account_name": association.account.owner.account_name,
        "lifted": freeze_lines(lifted, association),
        "kept": kept,
        **back_to(association),
    }
    status = 400 if form.is_bound else 200
    template = "association/console/unfreeze.html"
    return show(request, member, template, context, section="customers", status=status)


def _unfrozen_sentence(association: Association, *, lifted: bool) -> str:
    if not lifted:
        return _("There was no freeze left that you may lift.")
    if still_frozen([association]):
        return _(
            "Your freezes are lifted. The account stays frozen: %(provider)s has frozen it."
        ) % {"provider": settings.PROVIDER_NAME}
    return _("The account is unfrozen. The customer is told by mail.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def manager(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Choose which member looks after the customer."""
    association = find_customer(member, association_id)
    members = member.partner.members.select_related("user").order_by("user__email", "pk")
    initial = {"manager": association.manager_id or ""}
    form = ManagerForm(posted(request), members=list(members), initial=initial)
    if form.is_valid():
        try:
            assign_manager(
                association=association,
                manager=form.chosen(),
                by=member.user,
                now=timezone.now(),
            )
        except CustomerRefused as refused:
            return refuse(request, member, refused)
        messages.success(request, _("The manager is saved."))
        return see_other("console_customer", association.pk)
    account_name = association.account.owner.account_name
    context = {"form": form, "account_name": account_name, **back_to(association)}
    status = 400 if form.is_bound else 200
    template = "association/console/manager.html"
    return show(request, member, template, context, section="customers", status=status)

"""What the console does with one customer: name, freeze, unfreeze, manager, authorization."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from accounts.services.freezes import shown_cause, shown_freezes
from association.budget_words import budget_facts
from association.enums import AssociationRefusal
from association.forms.customers import (
    CustomerNameForm,
    ManagerForm,
    PartnerFreezeForm,
    UnfreezeForm,
)
from association.models import Association
from association.refusals import sentence_for
from association.services.authorizations import request_authorization
from association.services.customer_lists import CustomerState
from association.services.customer_names import editable_names, rename_customer
from association.services.customers import (
    ALL_BUT_ADMINISTRATOR,
    assign_manager,
    check_partner_may_act,
    freeze_customer,
    unfreeze_customer,
)
from association.views.console.customer_rows import back_to, freeze_row
from association.views.console.customers import (
    answers_refusals,
    find_customer,
    report_terms,
    state_of,
)
from partners.models import PartnerMember
from partners.views.gate import for_administrators, for_members, show
from partners.views.refusing import answer_or_conflict, status_of
from web.answers import as_refusal, posted, posts_only
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
    check_partner_may_act(customer, member.user)
    before = _own_freeze(customer)
    shows = shown_cause(customer.account, [before] if before else [], FreezeCause.PARTNER)
    scope = request.GET.get("scope")
    initial = {"scope": scope if scope in FreezeScope.values else FreezeScope.ACCOUNT}
    form = PartnerFreezeForm(posted(request), shows=shows, initial=initial)

    def page_again() -> HttpResponse:
        return _freeze_page(request, member, customer, _own_freeze(customer), form)

    try:
        return answer_or_conflict(
            request,
            form,
            lambda: _freeze(request, member, customer, before, form),
            lambda: _freeze_page(request, member, customer, before, form),
            page_again=page_again,
            report=report_terms,
        )
    except Refused as refused:
        if refused.code != AssociationRefusal.FROZEN_FOR_OTHER_REASON:
            raise
        form.add_error("reason", sentence_for(refused))
        return as_refusal(page_again(), refused.again_at)


def _own_freeze(customer: Association) -> Freeze | None:
    return customer.account.freezes.open().filter(cause=FreezeCause.PARTNER).first()


def _freeze(
    request: HttpRequest,
    member: PartnerMember,
    customer: Association,
    before: Freeze | None,
    form: PartnerFreezeForm,
) -> str:
    after = freeze_customer(
        association=customer,
        scope=FreezeScope(form.cleaned_data["scope"]),
        reason=form.cleaned_data["reason"],
        by=member.user,
        now=timezone.now(),
        shown_version=form.cleaned_data["shown_version"],
    )
    if before is not None and (before.pk, before.scope) == (after.pk, after.scope):
        messages.info(request, _("You had frozen the account already. Nothing has changed."))
    else:
        messages.success(request, _("The account is frozen. The customer is told by e-mail."))
    return resolve_url("console_customer", customer.pk)


def _freeze_page(
    request: HttpRequest,
    member: PartnerMember,
    customer: Association,
    before: Freeze | None,
    form: PartnerFreezeForm,
) -> HttpResponse:
    running = customer.account.resources.running().count()
    context = {
        "form": form,
        "running_resources": running,
        "frozen_by_partner": before,
        "is_widest": before is not None and before.scope == FreezeScope.ACCOUNT_AND_RESOURCES,
    }
    return _show(request, member, customer, "freeze", context)


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
    shows = shown_freezes(state.freezes, ALL_BUT_ADMINISTRATOR)
    form = UnfreezeForm(posted(request), shows=shows)

    def write() -> str:
        closed = unfreeze_customer(
            association=customer, by=member.user, now=timezone.now(), **form.cleaned_data
        )
        messages.success(request, _unfrozen_sentence(customer, closed))
        return resolve_url("console_customer", customer.pk)

    return answer_or_conflict(
        request,
        form,
        write,
        lambda: _unfreeze_page(request, member, state, form),
        page_again=lambda: _unfreeze_page(request, member, state_of(customer), form),
        report=report_terms,
    )


def _unfreeze_page(
    request: HttpRequest,
    member: PartnerMember,
    state: CustomerState,
    form: UnfreezeForm,
) -> HttpResponse:
    customer = state.association
    provider_freezes = [row for row in state.freezes if row.cause == FreezeCause.ADMINISTRATOR]
    lifted = [row for row in state.freezes if row.cause != FreezeCause.ADMINISTRATOR]
    context = {
        "form": form,
        "lifted": [freeze_row(row, customer) for row in lifted],
        "provider_freezes": provider_freezes,
        "budget_facts": budget_facts(state.budget, now=timezone.now()) if state.budget else (),
    }
    return _show(request, member, customer, "unfreeze", context)


def _unfrozen_sentence(customer: Association, closed: list[Freeze]) -> str:
    if not closed:
        return _("There was no freeze left that you may lift.")
    if customer.account.freezes.open().exists():
        return _(
            "Your freezes are lifted. The account stays frozen: %(provider)s has frozen it."
        ) % {"provider": settings.PROVIDER_NAME}
    return _("The account is unfrozen. The customer is told by e-mail.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@answers_refusals
def rename(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    """Change what the partner calls the customer, its reference and the note."""
    customer = find_customer(member, association_id)
    present = editable_names(customer)
    form = CustomerNameForm(posted(request), shows=present, initial=present)

    def write() -> str:
        rename_customer(
            association=customer, by=member.user, now=timezone.now(), **form.cleaned_data
        )
        messages.success(request, _("The name is saved."))
        return resolve_url("console_customer", customer.pk)

    return answer_or_conflict(
        request, form, write, lambda: _show(request, member, customer, "rename", {"form": form})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
@answers_refusals
def manager(request: HttpRequest, member: PartnerMember, association_id: int) -> HttpResponse:
    customer = find_customer(member, association_id)
    members = member.partner.members.select_related("user").order_by("user__email", "pk")
    present = {"manager": customer.manager_id}
    form = ManagerForm(posted(request), members=list(members), shows=present, initial=present)

    def write() -> str:
        assign_manager(
            association=customer,
            manager=form.chosen_member(),
            by=member.user,
            now=timezone.now(),
            shown_version=form.cleaned_data["shown_version"],
        )
        messages.success(request, _("The manager is saved."))
        return resolve_url("console_customer", customer.pk)

    return answer_or_conflict(
        request, form, write, lambda: _show(request, member, customer, "manager", {"form": form})
    )


@for_members
@posts_only("console_customer", "association_id")
@answers_refusals
def request_customer_authorization(
    request: HttpRequest, member: PartnerMember, association_id: int
) -> HttpResponse:
    customer = find_customer(member, association_id)

    def write() -> str:
        request_authorization(association=customer, by=member.user, now=timezone.now())
        text = _("%(name)s has been asked for the authorization.")
        messages.success(request, text % {"name": customer.shown_name})
        return resolve_url("console_customer", customer.pk)

    return answer_once(request, write)


def _show(
    request: HttpRequest,
    member: PartnerMember,
    customer: Association,
    page: str,
    context: dict[str, Any],
) -> HttpResponse:
    context |= {"association": customer, "name": customer.shown_name, **back_to(customer)}
    template = f"association/console/{page}.html"
    return show(
        request, member, template, context, section="customers", status=status_of(context["form"])
    )

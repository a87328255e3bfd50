"""The eligibility preview, which only reads: every rule's result for an account and a partner."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.enums import StopReason
from accounts.models import CustomerAccount
from association.enums import RefusalCode
from association.models import Association
from association.refusal_texts import check_line, text_for_partner
from association.services.eligibility import Check, Decision
from association.services.previews import Preview, preview_eligibility
from association.ways_out import way_as_text, way_out
from partners.enums import AssociationType
from partners.models import Partner
from web.admin.base import CarefulAutocompleteSelect
from web.moments import moment_text

PERMISSIONS = (
    "association.view_association",
    "accounts.view_customeraccount",
    "partners.view_partner",
)

# The facts that each rule reads. A test fails for a rule without a line here.
READ_BY: dict[RefusalCode, Sequence[str]] = {
    RefusalCode.CHINESE_MAINLAND_SITE: ["registration_site"],
    RefusalCode.OTHER_PARTNER: ["associated_with_other_partner"],
    RefusalCode.SPECIAL_CONTRACT: ["contracts"],
    RefusalCode.REGISTERED_TOO_LONG: ["registered_at"],
    RefusalCode.CASH_EXPENDITURE: ["largest_cash_expenditure"],
    RefusalCode.UNPAID_BILLS: ["bills"],
    RefusalCode.UNIFIED_ACCOUNTING_MEMBER: ["memberships"],
    RefusalCode.PROFESSIONAL_SERVICES_CONTRACT: ["contracts"],
    RefusalCode.RESERVED_INSTANCES: ["reserved_instances"],
    RefusalCode.ENTERPRISE_MEMBER: ["memberships"],
    RefusalCode.MASTER_WITH_INDEPENDENT_MEMBERS: ["members"],
    RefusalCode.IS_PARTNER: ["owner_is_partner_member"],
    RefusalCode.INTERNAL_ACCOUNT: ["is_internal"],
}


class PreviewForm(forms.Form):
    account = forms.ModelChoiceField(
        label=_("Customer account"),
        queryset=CustomerAccount.objects.select_related("owner"),
        widget=CarefulAutocompleteSelect(Association._meta.get_field("account"), admin.site),
    )
    partner = forms.ModelChoiceField(
        label=_("Partner"),
        queryset=Partner.objects.all(),
        widget=CarefulAutocompleteSelect(Association._meta.get_field("partner"), admin.site),
    )
    association_type = forms.ChoiceField(
        label=_("Association type"), choices=AssociationType.choices
    )


def eligibility_preview(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    is_filled = "partner" in request.GET
    form = PreviewForm(request.GET if is_filled else None, initial=request.GET.dict())
    preview = _preview(form) if is_filled and form.is_valid() else None
    decision = preview.decision if preview else None
    context = {
        **admin.site.each_context(request),
        "title": gettext("Eligibility preview"),
        "opts": Association._meta,
        "form": form,
        "decision": decision,
        "account": form.cleaned_data["account"] if preview else None,
        "partner": form.cleaned_data["partner"] if preview else None,
        "lines": _lines(preview.decision, form.cleaned_data["partner"]) if preview else [],
        "obstacles": list(_obstacles(preview, **form.cleaned_data)) if preview else [],
    }
    status = 400 if form.errors else 200
    return TemplateResponse(request, "admin/eligibility_preview.html", context, status=status)


def _preview(form: PreviewForm) -> Preview:
    return preview_eligibility(**form.cleaned_data, now=timezone.now())


def _obstacles(
    preview: Preview, account: CustomerAccount, partner: Partner, association_type: str
) -> Iterable[str]:
    """Say what keeps the account from joining beside the rules, which judge a new customer."""
    names = {"account": account, "partner": partner}
    if preview.present is not None:
        text = gettext("%(account)s is already a customer of %(partner)s, since %(moment)s.")
        yield text % {**names, "moment": moment_text(preview.present.associated_at)}
    if RefusalCode.TYPE_NOT_ALLOWED in preview.obstacles:
        text = gettext("%(partner)s may not invite by the type “%(type)s”.")
        yield text % {**names, "type": AssociationType(association_type).label}
    if RefusalCode.PARTNER_UNAVAILABLE in preview.obstacles:
        text = gettext("%(partner)s is frozen: none of its invitations can be followed.")
        yield text % names
    if StopReason.OWNER_DEACTIVATED in preview.obstacles:
        yield gettext("The owner of %(account)s is deactivated and cannot log in.") % names


def _lines(decision: Decision, partner: Partner) -> list[dict[str, Any]]:
    refused = {refusal.code for refusal in decision.refusals}
    too_late = decision.ending_too_late
    ways = {
        code: way_as_text(way_out(code, is_bound=False, ends_too_late=code in too_late), partner)
        for code in refused
    }
    return [
        {**_line(check, decision), "way_out": ways.get(check.code, "")} for check in decision.checks
    ]


def _line(check: Check, decision: Decision) -> dict[str, Any]:
    names = READ_BY[check.code]
    read = [text for name in names for text in _as_lines(name, getattr(decision.facts, name))]
    text = text_for_partner(check.code, ends_too_late=check.code in decision.ending_too_late)
    return {**check_line(check), "facts": read, "text": text}


def _as_lines(name: str, value: Any) -> Iterable[str]:
    rows = value if isinstance(value, tuple) else (value,)
    return [f"{_in_words(name)}: {_as_text(row)}" for row in rows or (None,)]


def _as_text(value: Any) -> str:
    if is_dataclass(value):
        cells = ((field.name, getattr(value, field.name)) for field in fields(value))
        return ", ".join(
            f"{_in_words(name)} {_as_text(cell)}" for name, cell in cells if cell is not None
        )
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return gettext("none") if value is None else _in_words(str(value))


def _in_words(name: str) -> str:
    """Return the name of a fact, or a stored choice, without its underscores."""
    return name.replace("_", " ")

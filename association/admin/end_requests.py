"""Requests to end an association in the admin: what waits, and the provider's answer."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from association.admin.associations import association_name, bills_after
from association.admin.terms import TermsAdmin
from association.enums import AssociationRefusal, Side
from association.models import EndRequest
from association.refusals import SENTENCES
from association.services.endings import answer_end_request, answer_is_due_at
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction, reason_form
from web.admin.hubs import given
from web.moments import moment_text


def _why_not(end_request: EndRequest) -> str:
    if not end_request.is_open:
        return str(SENTENCES[AssociationRefusal.END_REQUEST_ANSWERED])
    due_at = answer_is_due_at(end_request)
    if due_at <= timezone.now():
        return ""
    sentence = _("The other side has time to answer until %(moment)s.")
    return sentence % {"moment": moment_text(due_at)}


_confirmed = partial(
    ConfirmedAction,
    name=lambda end_request: association_name(end_request.association),
    refusals=SENTENCES,
    permissions=["act"],
    works_for=lambda end_request: not _why_not(end_request),
    why_not=_why_not,
    form=reason_form(_("The customer and the partner read it.")),
)


class EndRequestStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        is_open = Q(answered_at__isnull=True)
        due = Q(asked_at__lte=timezone.now() - timedelta(days=settings.END_REQUEST_DAYS))
        return {
            "due": (_("open, the provider may answer"), is_open & due),
            "open": (_("open"), is_open),
            "answered": (_("answered or withdrawn"), ~is_open),
        }


@admin.register(EndRequest)
class EndRequestAdmin(TermsAdmin):
    list_display = (
        "account",
        "partner",
        "reason",
        "due_at",
        "asking_side",
        "asked_at",
        "answer",
        "answered_at",
    )
    list_select_related = ("association__account__owner", "association__partner")
    list_filter = (
        EndRequestStateFilter,
        "asking_side",
        "answer",
        *given("association", "association__partner"),
    )
    date_hierarchy = "asked_at"
    actions = ("agree", "decline")

    fields = (
        *("answer_possible", "association", "partner", "asking_side", "asked_by", "reason"),
        *("asked_at", "due_at", "answer", "answered_at", "answered_by", "answer_reason"),
    )
    readonly_fields = ("answer_possible", "partner", "due_at")

    @admin.display(description=_("may you answer?"))
    def answer_possible(self, end_request: EndRequest) -> Any:
        return _why_not(end_request) or _("Yes, with the buttons above.")

    @admin.display(description=_("account"))
    def account(self, end_request: EndRequest) -> str:
        return str(end_request.association.account)

    @admin.display(description=_("partner"))
    def partner(self, end_request: EndRequest) -> str:
        return str(end_request.association.partner)

    @admin.display(description=_("due at"), ordering="asked_at")
    def due_at(self, end_request: EndRequest) -> datetime | None:
        return answer_is_due_at(end_request) if end_request.is_open else None

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("association.change_association")

    @_confirmed(
        title=_("Agree and end the association"),
        consequences=(
            _("It ends at once, also with unpaid bills. This cannot be taken back."),
            _("Both sides are told by e-mail that you decided."),
        ),
        button=_("End the association"),
        facts=lambda end_request: bills_after(end_request.association),
    )
    def agree(self, end_request: EndRequest, **values: Any) -> None:
        answer_end_request(end_request=end_request, side=Side.PROVIDER, agree=True, **values)

    @_confirmed(
        title=_("Decline the request"),
        consequences=(
            _("The association goes on."),
            _("Both sides are told by e-mail that you decided, and read the reason."),
        ),
        button=_("Decline the request"),
    )
    def decline(self, end_request: EndRequest, **values: Any) -> None:
        answer_end_request(end_request=end_request, side=Side.PROVIDER, agree=False, **values)

"""Ending the association: what the customer's page under My partner and the console share."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from association.ending_words import ending_freezes, obstacle_lines
from association.enums import AssociationRefusal, EndAction, Side
from association.forms.endings import EndForm
from association.models import Association
from association.refusals import sentence_for
from association.services.end_obstacles import find_obstacles
from association.services.endings import (
    answer_end_request,
    answer_is_due_at,
    ask_to_end,
    withdraw_end_request,
)
from association.views.gate import time_to_change
from association.views.my_partner import for_customers
from association.views.own import signed_in
from web.answers import as_refusal, posted
from web.form_keys import answer_once, earlier_answer
from web.refused import Refused

_DONE = {
    EndAction.ASK: _("%(partner)s has been asked to end the association."),
    EndAction.WITHDRAW: _("You have withdrawn the request. %(partner)s is told by e-mail."),
    EndAction.AGREE: _("The association with %(partner)s has ended."),
    EndAction.DECLINE: _("You have declined. %(partner)s is told by e-mail."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def end(request: HttpRequest, association: Association) -> HttpResponse:
    """Ask to end, withdraw, agree or decline, as the customer."""
    form = EndForm(posted(request), help_text=_("Your partner reads it. At most 256 characters."))
    if request.method != "POST":
        return _page(request, association, form)
    if not form.is_valid():
        return earlier_answer(request) or _page(request, association, form, status=400)

    def write() -> str:
        by = signed_in(request)
        act_on_ending(form, association, side=Side.CUSTOMER, by=by, now=timezone.now())
        done = str(_DONE[form.cleaned_data["action"]])
        messages.success(request, done % {"partner": association.partner.name})
        return reverse("my_partner")

    try:
        return answer_once(request, write)
    except Refused as refused:
        if refused.code == AssociationRefusal.ENDED:
            raise
        problem = sentence_for(refused)
        page = _page(request, association, form, problem=problem)
        return as_refusal(page, refused.again_at)


def act_on_ending(
    form: EndForm, association: Association, *, side: Side, by: User, now: datetime
) -> None:
    """Do what the valid form asks for, on the request that its page showed."""
    action, reason = form.cleaned_data["action"], form.cleaned_data["reason"]
    if action == EndAction.ASK:
        ask_to_end(association=association, side=side, reason=reason, by=by, now=now)
        return
    # 404 for another association's.
    shown = get_object_or_404(association.end_requests, pk=form.cleaned_data["end_request"])
    if action == EndAction.WITHDRAW:
        withdraw_end_request(end_request=shown, side=side, by=by, now=now)
        return
    agree = action == EndAction.AGREE
    answer_end_request(end_request=shown, side=side, agree=agree, reason=reason, by=by, now=now)


def end_context(
    form: EndForm, association: Association, side: Side, now: datetime
) -> dict[str, Any]:
    """Return the open request, what stands in the way, what would end, earlier requests, the form.

    Its field is marked as optional where it is the reason for an answer.
    """
    history = list(association.end_requests.order_by("-asked_at"))
    end_request = next((row for row in history if row.is_open), None)
    form.fields["reason"].required = end_request is None
    obstacles = find_obstacles(account=association.account, now=now)
    return {
        "form": form,
        "association": association,
        "asked": end_request,
        "is_own": end_request is not None and end_request.asking_side == side,
        "due_at": answer_is_due_at(end_request) if end_request is not None else None,
        "obstacles": obstacle_lines(obstacles, reader=side, partner=association.partner),
        "freezes": ending_freezes(
            association.account.freezes.open(), reader=side, partner=association.partner
        ),
        "has_budget": association.budgets.current().exists(),
        "is_authorized": association.authorizations.granted().exists(),
        "answered": [row for row in history if not row.is_open],
    }


def _page(
    request: HttpRequest,
    association: Association,
    form: EndForm,
    *,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = {
        **end_context(form, association, Side.CUSTOMER, now),
        **time_to_change(association, now),
        "partner": association.partner,
        "problem": problem,
        "back_url": reverse("my_partner"),
    }
    return render(request, "association/end.html", context, status=status)

"""Check: what refuses, all at once, with the ways out."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from association.enums import Step
from association.refusals import check_line, customer_reason
from association.services.admission import Admission
from association.services.attempts import decide_attempt, tell_partner
from association.views.gate import Journey, attempt_step, progress, resume_url, step_url
from association.ways_out import shown_way, way_out
from web.answers import see_other


@attempt_step(Step.CHECK)
def check(request: HttpRequest, journey: Journey) -> HttpResponse:
    if request.method == "POST":
        decide_attempt(attempt=journey.attempt, now=journey.now)
        return see_other(resume_url(journey.attempt))
    if journey.admission is None:
        raise ValueError("There is nothing to check before there is an account.")
    return show_check(request, journey, journey.admission)


def show_check(
    request: HttpRequest, journey: Journey, admission: Admission, status: int = 200
) -> HttpResponse:
    between = [
        {"code": code, "reason": customer_reason(code), "way": _way(journey, code)}
        for code in admission.invitation_refusals
    ]
    lines = [check_line(line) for line in admission.decision.checks]
    refused = [{**line, "way": _way(journey, line["code"])} for line in lines if not line["passed"]]
    context = {
        "attempt": journey.attempt,
        "invitation": journey.invitation,
        "partner": journey.partner,
        "admission": admission,
        "between": between,
        "refused_lines": refused,
        "met_lines": [line for line in lines if line["passed"]],
        "checked_at": admission.decision.decided_at,
        **progress(journey.invitation, Step.CHECK),
    }
    return render(request, "association/check.html", context, status=status)


def _way(journey: Journey, code: str) -> dict[str, Any]:
    return shown_way(way_out(code, is_bound=journey.invitation.is_bound), journey.partner)


@attempt_step(Step.CHECK, is_action=True)
def tell(_request: HttpRequest, journey: Journey) -> HttpResponse:
    tell_partner(attempt=journey.attempt, now=journey.now)
    return see_other(step_url(journey.attempt, Step.CHECK))

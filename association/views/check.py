"""Check: what refuses, all at once, with the ways out."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from association.enums import FOR_GOOD, RefusalCode, Step
from association.refusal_texts import check_line, customer_reason
from association.services.admission import Admission, account_of
from association.services.attempts import decide_attempt, last_moment_of, tell_partner
from association.services.eligibility import Check
from association.views.gate import Journey, attempt_step, progress, resume_url, step_url
from association.ways_out import NEW_ACCOUNT_ONLY, shown_way, way_out
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
        {"code": code, "reason": customer_reason(code), "way": _way(journey, admission, code)}
        for code in admission.invitation_refusals
    ]
    last_moment = last_moment_of(account_of(journey.attempt))
    refused = [
        _refused_line(journey, admission, line)
        for line in admission.decision.checks
        if line.refusal is not None
    ]
    is_for_good = _is_for_good(admission)
    met = [check_line(line) for line in admission.decision.checks if line.refusal is None]
    context = {
        "attempt": journey.attempt,
        "invitation": journey.invitation,
        "partner": journey.partner,
        "admission": admission,
        "between": between,
        "refused_lines": refused,
        "met_lines": met,
        "is_for_good": is_for_good,
        "last_moment": last_moment if journey.now <= last_moment and not is_for_good else None,
        "checked_at": admission.decision.decided_at,
        **progress(journey.invitation, Step.CHECK),
    }
    return render(request, "association/check.html", context, status=status)


def _refused_line(journey: Journey, admission: Admission, check: Check) -> dict[str, Any]:
    """Return what a rule refuses for, and the way out; waiting helps only until the last moment."""
    ends_too_late = check.code in admission.decision.ending_too_late
    is_bound = journey.invitation.is_bound
    way = way_out(check.code, is_bound=is_bound, ends_too_late=ends_too_late)
    return {**check_line(check), "way": shown_way(way, journey.partner)}


def _way(journey: Journey, admission: Admission, code: str) -> dict[str, Any]:
    """Return the way out of what lies between invitation and account."""
    if code == RefusalCode.EXISTING_ACCOUNT_NOT_ALLOWED and _is_for_good(admission):
        return shown_way(NEW_ACCOUNT_ONLY, journey.partner)
    return shown_way(way_out(code, is_bound=journey.invitation.is_bound), journey.partner)


def _is_for_good(admission: Admission) -> bool:
    """Return whether checking again can never help this account."""
    return any(refusal.code in FOR_GOOD for refusal in admission.decision.refusals)


@attempt_step(Step.CHECK, is_action=True)
def tell(_request: HttpRequest, journey: Journey) -> HttpResponse:
    tell_partner(attempt=journey.attempt, now=journey.now)
    return see_other(step_url(journey.attempt, Step.CHECK))

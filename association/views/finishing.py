"""The last steps: what refuses, what will happen, and the one POST that associates."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.origin import current_origin
from accounts.views.answers import posted, see_other
from association.forms import EnableForm, LetterForm
from association.services.admission import Admission, account_of
from association.services.associations import (
    AlreadyAssociated,
    AssociationRefused,
    Enabling,
    LetterChoice,
    StepUndone,
    associate,
)
from association.services.attempts import (
    NothingRefused,
    decide_attempt,
    defer_attempt,
    last_moment_to_associate,
    tell_partner,
)
from association.services.facts import load_holdings
from association.services.refusal_texts import check_line, customer_reason, way_out
from association.services.steps import Step
from association.views.dead_links import dead_link
from association.views.gate import Journey, attempt_step, signed_in
from association.views.progress import progress
from association.views.urls_of import resume_url, step_url
from partners.services.invitations import InvitationRefused


@attempt_step(Step.CHECK)
def check(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Show every rule with the way out; check again, or tell the partner."""
    if request.method != "POST":
        return show_check(request, journey, journey.admission)
    attempt = journey.attempt
    if request.POST.get("action") == "tell_partner":
        # Nothing to tell: the page that follows has nothing to refuse either.
        with suppress(NothingRefused):
            tell_partner(attempt=attempt, now=journey.now)
        return see_other(step_url(attempt, Step.CHECK))
    decide_attempt(attempt=attempt, now=journey.now)
    return see_other(resume_url(attempt))


def show_check(
    request: HttpRequest, journey: Journey, admission: Admission | None, status: int = 200
) -> HttpResponse:
    """Show what refuses, all at once; 409 when a final POST was refused."""
    if admission is None:
        raise ValueError("There is nothing to check before there is an account.")
    between = [
        {"code": code, "reason": customer_reason(code), "way_out": way_out(code)}
        for code in admission.invitation_refusals
    ]
    context = {
        "attempt": journey.attempt,
        "invitation": journey.invitation,
        "partner": journey.partner,
        "admission": admission,
        "between": between,
        "lines": [check_line(line) for line in admission.decision.checks],
        "checked_at": admission.decision.decided_at,
        **progress(journey.invitation, Step.CHECK),
    }
    return render(request, "association/check.html", context, status=status)


@attempt_step(Step.ENABLE)
def enable(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Enable services and associate, both or neither; or put it off."""
    attempt, account = journey.attempt, journey.attempt.account
    if request.method == "POST" and request.POST.get("action") == "later":
        defer_attempt(attempt=attempt, by=signed_in(request), now=journey.now)
        return see_other(step_url(attempt, Step.ENABLE))
    form = EnableForm(
        posted(request),
        versions=journey.versions.in_force,
        ticked=journey.versions.is_in_force(attempt.letter_id),
        country=account.country.code if account else "",
    )
    if request.method != "POST":
        return show_last_step(request, journey, Step.ENABLE, form)
    if not form.is_valid():
        return show_last_step(request, journey, Step.ENABLE, form, status=400)
    return finish(request, journey, Step.ENABLE, form, enabling=form.enabling())


@attempt_step(Step.CONFIRM)
def confirm(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Name the account and associate it."""
    versions = journey.versions
    ticked = versions.is_in_force(journey.attempt.letter_id)
    form = LetterForm(posted(request), versions=versions.in_force, ticked=ticked)
    if request.method != "POST":
        return show_last_step(request, journey, Step.CONFIRM, form)
    if not form.is_valid():
        return show_last_step(request, journey, Step.CONFIRM, form, status=400)
    return finish(request, journey, Step.CONFIRM, form)


def show_last_step(
    request: HttpRequest,
    journey: Journey,
    step: Step,
    form: LetterForm,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
    """Show what will happen, with the account's own numbers, before the click."""
    account = account_of(journey.attempt)
    context = {
        "form": form,
        "attempt": journey.attempt,
        "account": account,
        "invitation": journey.invitation,
        "partner": journey.partner,
        "holdings": load_holdings(account=account, now=journey.now),
        "last_moment": last_moment_to_associate(journey.attempt),
        "problem": problem,
        **progress(journey.invitation, step),
    }
    return render(request, f"association/{step.value}.html", context, status=status)


def finish(
    request: HttpRequest,
    journey: Journey,
    step: Step,
    form: LetterForm,
    enabling: Enabling | None = None,
) -> HttpResponse:
    """Associate and show the result, or say exactly why not."""
    attempt = journey.attempt
    letter: LetterChoice | None = form.letter_choice() if journey.invitation.is_reseller else None
    try:
        associate(
            attempt=attempt,
            by=signed_in(request),
            address=current_origin().address,
            enabling=enabling,
            letter=letter,
        )
    except AssociationRefused as refused:
        return show_check(request, journey, refused.admission, status=409)
    except InvitationRefused as refused:
        return dead_link(request, refused.code, journey.partner)
    except AlreadyAssociated:
        return see_other("my_partner")
    except StepUndone as undone:
        if undone.code in {"letter", "agreement"}:
            problem = _(
                "The documents have changed while you were reading. Please read them again."
            )
            return show_last_step(request, journey, step, form, status=409, problem=problem)
        return see_other(resume_url(attempt))
    return see_other(step_url(attempt, Step.DONE))

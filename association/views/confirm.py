"""The last step, Confirm for an enabled account or else Enable, with the final POST of both."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from association.enums import JourneyRefusal, Step
from association.forms.joining import EnableForm, LetterForm
from association.services.admission import account_of
from association.services.associations import associate
from association.services.attempts import defer_attempt, last_moment_to_associate
from association.services.facts import load_holdings
from association.views.check import show_check
from association.views.gate import Journey, attempt_step, enter_step, progress, signed_in, step_url
from association.views.remembered import dead_link
from partners.services.invitation_use import InvitationRefused
from web.answers import posted, see_other
from web.origin import current_origin
from web.refused import Refused


@attempt_step(Step.CONFIRM, is_final=True)
def confirm(request: HttpRequest, journey: Journey) -> HttpResponse:
    return show_or_answer(request, journey, Step.CONFIRM, LetterForm)


@attempt_step(Step.ENABLE, is_final=True)
def enable(request: HttpRequest, journey: Journey) -> HttpResponse:
    country = account_of(journey.attempt).country.code
    return show_or_answer(request, journey, Step.ENABLE, partial(EnableForm, country=country))


@attempt_step(Step.ENABLE, is_action=True)
def enable_later(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Leave the attempt for later, and e-mail the link back."""
    defer_attempt(attempt=journey.attempt, by=signed_in(request), now=journey.now)
    return see_other(step_url(journey.attempt, Step.ENABLE))


def show_or_answer(
    request: HttpRequest, journey: Journey, step: Step, form_class: Callable[..., LetterForm]
) -> HttpResponse:
    versions = journey.versions
    ticked = versions.is_in_force(journey.attempt.letter_id)
    form = form_class(posted(request), versions=versions.in_force, ticked=ticked)
    if request.method == "POST":
        return answer_final_post(request, journey, step, form)
    return show_last_step(request, journey, step, form)


def show_last_step(
    request: HttpRequest,
    journey: Journey,
    step: Step,
    form: LetterForm,
    status: int = 200,
    problem: str = "",
) -> HttpResponse:
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


def answer_final_post(
    request: HttpRequest, journey: Journey, step: Step, form: LetterForm
) -> HttpResponse:
    if not form.is_valid():
        # `associate()` does not decide, so the page's own conditions do.
        entered = enter_step(request, journey.attempt, step)
        if not isinstance(entered, Journey):
            return entered
        return show_last_step(request, entered, step, form, status=400)
    try:
        associate(
            attempt=journey.attempt,
            by=signed_in(request),
            address=current_origin().network_address,
            enabling=form.enabling() if isinstance(form, EnableForm) else None,
            letter=form.letter_choice() if journey.invitation.is_reseller else None,
        )
    except InvitationRefused as refused:
        return dead_link(request, refused.code, journey.partner)
    except Refused as refused:
        return answer_refused(request, journey, step, form, refused)
    return see_other(step_url(journey.attempt, Step.DONE))


def answer_refused(
    request: HttpRequest, journey: Journey, step: Step, form: LetterForm, refused: Refused
) -> HttpResponse:
    match refused.code:
        case JourneyRefusal.NOT_ADMITTED:
            return show_check(request, journey, refused.context["admission"], status=409)
        case JourneyRefusal.ALREADY_ASSOCIATED:
            return see_other("my_partner")
        case JourneyRefusal.STEP_UNDONE:
            return see_other(step_url(journey.attempt, refused.context["step"]))
        case JourneyRefusal.LETTER_CHANGED | JourneyRefusal.AGREEMENT_CHANGED:
            problem = _(
                "The documents have changed while you were reading. Please read them again."
            )
            return show_last_step(request, journey, step, form, status=409, problem=problem)
    raise refused

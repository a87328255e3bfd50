"""The last step, Confirm for an enabled account or else Enable, with the final POST of both."""

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from association.enums import JourneyRefusal, Step
from association.forms.documents import EnableForm, LastForm
from association.refusals import sentence_for
from association.services.admission import account_of
from association.services.associations import associate
from association.services.attempts import last_moment_to_associate
from association.services.consents import AGREEMENT, Enabling, LetterChoice
from association.services.documents import Agreed, current_documents, load_versions
from association.services.facts import load_holdings
from association.views.check import show_check
from association.views.gate import Journey, attempt_step, enter_step, progress, step_url
from association.views.instructions import INSTRUCTIONS, LETTER, is_letter_ticked
from association.views.own import signed_in
from association.views.remembered import dead_link
from partners.services.invitation_use import InvitationRefused
from web.answers import posted, see_other
from web.origin import current_origin
from web.refused import Refused


@attempt_step(Step.CONFIRM, is_final=True)
def confirm(request: HttpRequest, journey: Journey) -> HttpResponse:
    return show_or_answer(request, journey, Step.CONFIRM)


@attempt_step(Step.ENABLE, is_final=True)
def enable(request: HttpRequest, journey: Journey) -> HttpResponse:
    return show_or_answer(request, journey, Step.ENABLE)


def show_or_answer(request: HttpRequest, journey: Journey, step: Step) -> HttpResponse:
    form = _form(request, journey, step)
    if request.method == "POST":
        return answer_final_post(request, journey, step, form)
    return show_last_step(request, journey, step, form)


def _form(request: HttpRequest, journey: Journey, step: Step) -> LastForm:
    attempt = journey.attempt
    account = account_of(attempt)
    options: dict[str, Any] = {
        "versions": journey.versions.in_force,
        "ticked": is_letter_ticked(request, journey),
        "agrees": attempt.agrees_at_the_end,
    }
    if step == Step.ENABLE:
        return EnableForm(posted(request), country=account.country.code, **options)
    return LastForm(posted(request), **options)


def show_last_step(
    request: HttpRequest,
    journey: Journey,
    step: Step,
    form: LastForm,
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
    request: HttpRequest, journey: Journey, step: Step, form: LastForm
) -> HttpResponse:
    if not form.is_valid():
        # `associate()` does not decide, so the page's own conditions do.
        entered = enter_step(request, journey.attempt, step)
        if not isinstance(entered, Journey):
            return entered
        return show_last_step(request, entered, step, form, status=400)
    try:
        _associate(request, journey, form)
    except InvitationRefused as refused:
        return dead_link(request, refused.code, journey.partner)
    except Refused as refused:
        return answer_refused(request, journey, step, refused)
    return see_other(step_url(journey.attempt, Step.DONE))


def _associate(request: HttpRequest, journey: Journey, form: LastForm) -> None:
    """Associate by what the form agrees to. Raises Refused as `associate()` does."""
    labels, language = form.agreed(), get_language() or ""
    if form.has_shown_others(labels):
        raise Refused(JourneyRefusal.DOCUMENT_CHANGED)
    documents = current_documents(labels, language, journey.versions)
    agreed = {kind: Agreed(documents[kind], label, language) for kind, label in labels.items()}
    enabling = None
    if isinstance(form, EnableForm):
        agreement = {kind: agreed[kind] for kind in AGREEMENT}
        enabling = Enabling(form.cleaned_data["country"], agreement)
    associate(
        attempt=journey.attempt,
        by=signed_in(request),
        address=current_origin().network_address,
        enabling=enabling,
        letter=LetterChoice(agreed.get(LETTER)) if form.asks_for_letter() else None,
        instructions=agreed.get(INSTRUCTIONS),
    )


def answer_refused(
    request: HttpRequest, journey: Journey, step: Step, refused: Refused
) -> HttpResponse:
    match refused.code:
        case JourneyRefusal.NOT_ADMITTED:
            return show_check(request, journey, refused.context["admission"], status=409)
        case JourneyRefusal.ALREADY_ASSOCIATED:
            return see_other("my_partner")
        case JourneyRefusal.STEP_UNDONE:
            return see_other(step_url(journey.attempt, refused.context["step"]))
        case JourneyRefusal.DOCUMENT_CHANGED:
            return _show_new_versions(request, journey, step, sentence_for(refused))
    raise refused


def _show_new_versions(
    request: HttpRequest, journey: Journey, step: Step, problem: str
) -> HttpResponse:
    """Show the page again with the versions in force now, and what was typed."""
    journey = replace(journey, versions=load_versions())
    form = _form(request, journey, step)
    form.name_new_versions()
    return show_last_step(request, journey, step, form, status=409, problem=problem)

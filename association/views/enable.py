"""Enable: services are enabled and the account is associated, both or neither; or later."""

from django.http import HttpRequest, HttpResponse

from association.enums import Step
from association.forms import EnableForm
from association.services.admission import account_of
from association.services.attempts import defer_attempt
from association.views.confirm import answer_final_post, show_last_step
from association.views.gate import Journey, attempt_step, signed_in, step_url
from web.answers import posted, see_other


@attempt_step(Step.ENABLE, is_final=True)
def enable(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Ask for country and agreement, with what will happen."""
    form = EnableForm(
        posted(request),
        versions=journey.versions.in_force,
        ticked=journey.versions.is_in_force(journey.attempt.letter_id),
        country=account_of(journey.attempt).country.code,
    )
    if request.method == "POST":
        return answer_final_post(request, journey, Step.ENABLE, form)
    return show_last_step(request, journey, Step.ENABLE, form)


@attempt_step(Step.ENABLE, is_action=True)
def enable_later(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Put it off, and mail the way back."""
    defer_attempt(attempt=journey.attempt, by=signed_in(request), now=journey.now)
    return see_other(step_url(journey.attempt, Step.ENABLE))

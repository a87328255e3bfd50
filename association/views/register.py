"""Register: one page with three forms, each posted to a view of its own that leads back to it."""

from functools import wraps

from allauth.account.utils import perform_login
from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts.enums import CodeRefusal
from accounts.forms import CodeForm
from accounts.issuer_logins import names_issuers, needs_passwords
from accounts.known_browsers import remember_known_browser
from accounts.refusals import refusal_sentence
from accounts.views.sent_codes import CodeFacts
from association.enums import Step
from association.forms.joining import RegisterForm
from association.models import Attempt
from association.services.attempts import remember_registration
from association.services.registration import (
    register_for_attempt,
    resume_attempt_code,
    send_attempt_code,
)
from association.views.gate import (
    Journey,
    StepView,
    attempt_step,
    is_of_browser,
    progress,
    resume_url,
    step_url,
)
from web import limits
from web.answers import as_refusal, limited, see_other
from web.refused import Refused


def without_login(view: StepView) -> StepView:
    """Let a signed-in visitor choose an account first."""

    @wraps(view)
    def answer(request: HttpRequest, journey: Journey) -> HttpResponse:
        if request.user.is_authenticated:
            return see_other(step_url(journey.attempt, Step.ACCOUNT))
        return view(request, journey)

    return answer


def is_repeated_registration(request: HttpRequest, attempt: Attempt) -> bool:
    """Whether this is the second request of a double click: registered, but not logged in.

    Its code and password are checked like the first's.
    """
    return (
        attempt.registered_at is not None
        and not request.user.is_authenticated
        and is_of_browser(request, attempt)
    )


@names_issuers
@require_safe
@attempt_step(Step.REGISTER)
@without_login
def register(request: HttpRequest, journey: Journey) -> HttpResponse:
    attempt = journey.attempt
    if attempt.code_asked_at is None:
        return show_register(request, journey, RegisterForm(attempt=attempt))
    return show_register(request, journey, CodeForm(email=attempt.registration_email))


def show_register(
    request: HttpRequest, journey: Journey, form: Form, status: int = 200, problem: str = ""
) -> HttpResponse:
    attempt = journey.attempt
    asked_at = attempt.code_asked_at
    context = {
        "form": form,
        "attempt": attempt,
        "partner": journey.partner,
        "at_code": isinstance(form, CodeForm),
        "code": CodeFacts(asked_at, attempt.code_again_at, journey.now) if asked_at else None,
        "problem": problem,
        "resume_url": resume_url(attempt),
        "registering": [issuer for issuer in settings.OIDC_PROVIDERS if issuer.registration],
        "back_url": step_url(attempt, Step.ACCOUNT),
        **progress(journey.invitation, Step.REGISTER),
    }
    return render(request, "association/register.html", context, status=status)


@names_issuers
@needs_passwords
@limited
@attempt_step(Step.REGISTER, is_action=True)
@without_login
def send_code(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Send a code, or say why and until when the address's limits allow none."""
    attempt, now = journey.attempt, journey.now
    form = RegisterForm(request.POST, attempt=attempt)
    if not form.is_valid():
        return show_register(request, journey, form, status=400)
    limits.count_use("send_code")
    try:
        next_page = resume_url(attempt)
        send_attempt_code(attempt=attempt, next_page=next_page, now=now, **form.cleaned_data)
    except Refused as refused:
        if not isinstance(refused.code, CodeRefusal) or refused.again_at is None:
            raise
        return _send_no_code(request, journey, form, refused)
    return see_other(step_url(attempt, Step.REGISTER))


def _send_no_code(
    request: HttpRequest, journey: Journey, form: RegisterForm, refused: Refused
) -> HttpResponse:
    """Say until when no code is possible; one that this attempt got earlier can be typed here."""
    attempt, again_at = journey.attempt, refused.again_at
    shown: Form = form
    if resume_attempt_code(
        attempt=attempt, again_at=again_at, now=journey.now, **form.cleaned_data
    ):
        shown = CodeForm(email=attempt.registration_email)
    problem = str(refusal_sentence(refused))
    return as_refusal(show_register(request, journey, shown, problem=problem), again_at)


@needs_passwords
@attempt_step(Step.REGISTER, is_action=True)
@without_login
def change_address(_request: HttpRequest, journey: Journey) -> HttpResponse:
    attempt = journey.attempt
    remember_registration(
        attempt=attempt,
        email=attempt.registration_email,
        country=attempt.registration_country.code,
        code_asked_at=None,
    )
    return see_other(step_url(attempt, Step.REGISTER))


@sensitive_post_parameters("password", "code")
@needs_passwords
@limited
@attempt_step(Step.REGISTER, is_action=True, repeats=is_repeated_registration)
@without_login
def create_account(request: HttpRequest, journey: Journey) -> HttpResponse:
    attempt = journey.attempt
    if not attempt.registration_email:
        return see_other(step_url(attempt, Step.REGISTER))
    form = CodeForm(request.POST, email=attempt.registration_email)
    if request.POST.get("shown_email", attempt.registration_email) != attempt.registration_email:
        form.add_error(None, _("The address was changed meanwhile. Check it and try again."))
        return show_register(request, journey, form, status=409)
    if form.is_valid():
        try:
            user = register_for_attempt(attempt=attempt, now=journey.now, **form.cleaned_data)
        except Refused as refused:
            if not isinstance(refused.code, CodeRefusal):
                raise
            form.add_error("code", refusal_sentence(refused))
        else:
            # Its answer would be a 302. The attempt has been entered already.
            perform_login(request, user, email_verification="none")
            response = see_other(resume_url(attempt))
            remember_known_browser(response, user)
            return response
    return show_register(request, journey, form, status=400)

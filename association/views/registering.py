"""Register: one page that posts to itself; first the address, then its code and a password."""

from allauth.account.utils import perform_login
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import CodeForm, CountryAndEmailForm
from accounts.refusals import refusal_sentence
from accounts.services.codes import LIFETIME, PAUSE
from association.models import Attempt
from association.services.attempts import OtherAccount, remember_registration
from association.services.registration import register_for_attempt, send_attempt_code
from association.services.steps import Step
from association.views.gate import Journey, attempt_step
from association.views.progress import progress
from association.views.urls_of import resume_url, step_url
from partners.models import Invitation
from web import limits
from web.answers import limited, see_other
from web.email_addresses import canonical_address, mask_address
from web.refused import Refused


@sensitive_post_parameters("password", "code")
@limited
@attempt_step(Step.REGISTER)
def register(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Ask for country and address, then for the code; nobody exists before it is proven."""
    if request.user.is_authenticated:
        return see_other(step_url(journey.attempt, Step.ACCOUNT))
    if request.method != "POST":
        return show_register(request, journey)
    match request.POST.get("action"):
        case "send_code":
            return _send_code(request, journey)
        case "change_address":
            return _change_address(journey)
    return _register(request, journey)


def show_register(
    request: HttpRequest, journey: Journey, form: Form | None = None, status: int = 200
) -> HttpResponse:
    """Show the part whose turn it is: the address, or the code once one was asked for."""
    attempt = journey.attempt
    asked_at = attempt.code_asked_at
    if form is None:
        form = _address_form(attempt) if asked_at is None else _code_form(attempt)
    wait = 0 if asked_at is None else (asked_at + PAUSE - journey.now).total_seconds()
    context = {
        "form": form,
        "attempt": attempt,
        "partner": journey.partner,
        "at_code": isinstance(form, CodeForm),
        "wait_seconds": max(0, round(wait)),
        "lifetime_minutes": LIFETIME.seconds // 60,
        "back_url": step_url(attempt, Step.ACCOUNT),
        **progress(journey.invitation, Step.REGISTER),
    }
    return render(request, "association/register.html", context, status=status)


def _address_form(attempt: Attempt) -> CountryAndEmailForm:
    country = attempt.registration_country or attempt.invitation.country
    return CountryAndEmailForm(initial={"country": country, "email": attempt.registration_address})


def _code_form(attempt: Attempt) -> CodeForm:
    return CodeForm(email=attempt.registration_address)


def _send_code(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Send a code to the address, if its limits allow one; the page is the same if not."""
    attempt = journey.attempt
    form = CountryAndEmailForm(request.POST)
    if form.is_valid():
        _refuse_other_recipient(form, journey.invitation)
    if not form.is_valid():
        return show_register(request, journey, form, status=400)
    limits.count_use("send_code")
    send_attempt_code(
        attempt=attempt,
        email=form.cleaned_data["email"],
        country=form.cleaned_data["country"],
        now=journey.now,
    )
    return see_other(step_url(attempt, Step.REGISTER))


def _refuse_other_recipient(form: CountryAndEmailForm, invitation: Invitation) -> None:
    """A bound invitation can be followed with the address it was sent to, and no other."""
    email = canonical_address(form.cleaned_data["email"])
    if invitation.is_bound and email != invitation.recipient:
        form.add_error(
            "email",
            _("This invitation was sent to %(address)s. Use that address.")
            % {"address": mask_address(invitation.recipient)},
        )


def _change_address(journey: Journey) -> HttpResponse:
    """Go back to the address; what was typed is still there."""
    attempt = journey.attempt
    remember_registration(
        attempt=attempt,
        address=attempt.registration_address,
        country=attempt.registration_country.code,
        now=None,
    )
    return see_other(step_url(attempt, Step.REGISTER))


def _register(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Check the code, create the account, enter the attempt and log in."""
    attempt = journey.attempt
    if not attempt.registration_address:
        return see_other(step_url(attempt, Step.REGISTER))
    form = CodeForm(request.POST, email=attempt.registration_address)
    shown = request.POST.get("shown_email", attempt.registration_address)
    if shown != attempt.registration_address:
        form.add_error(None, _("The address was changed meanwhile. Check it and try again."))
        return show_register(request, journey, form, status=409)
    if not form.is_valid():
        return show_register(request, journey, form, status=400)
    try:
        user = register_for_attempt(attempt=attempt, now=journey.now, **form.cleaned_data)
    except Refused as refused:
        form.add_error("code", refusal_sentence(refused))
        return show_register(request, journey, form, status=400)
    except OtherAccount:
        # In another tab someone has logged in meanwhile: no account was made here.
        return see_other(resume_url(attempt))
    perform_login(request, user, email_verification="none", redirect_url=resume_url(attempt))
    # Its answer is a 302; after a good POST comes 303, to the same place.
    return see_other(resume_url(attempt))

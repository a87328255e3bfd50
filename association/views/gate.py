"""Who may use which page of an attempt: decided once, before every step's view."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from association.enums import JourneyRefusal, Step
from association.models import Association, Attempt
from association.services.admission import Admission, admit, first_undone_step, is_open
from association.services.attempts import (
    change_language,
    find_attempt,
    hash_of,
    last_moment_of,
)
from association.services.documents import Versions, load_versions
from association.views.remembered import dead_link
from partners.models import Invitation, Partner
from web.answers import ViewFunction, see_other
from web.email_addresses import canonical_or_none
from web.refused import Refused
from web.typed import note_unsent


@dataclass(frozen=True, slots=True)
class Journey:
    """What every page of an attempt uses, read once."""

    attempt: Attempt
    versions: Versions
    admission: Admission | None
    undone: Step
    now: datetime

    @property
    def invitation(self) -> Invitation:
        return self.attempt.invitation

    @property
    def partner(self) -> Partner:
        return self.attempt.invitation.partner


StepView = Callable[[HttpRequest, Journey], HttpResponse]

_STAGES = (
    {Step.INSTRUCTIONS},
    {Step.ACCOUNT, Step.ASK},
    {Step.REGISTER, Step.CHECK},
    {Step.ENABLE, Step.CONFIRM},
)


def progress(invitation: Invitation, step: Step) -> dict[str, Any]:
    """Return "step 2 of 4" for the layout; referral has one step less."""
    stages = _STAGES if invitation.is_reseller else _STAGES[1:]
    number = next(number for number, stage in enumerate(stages, start=1) if step in stage)
    return {"step": number, "step_count": len(stages)}


def step_url(attempt: Attempt, step: Step) -> str:
    return reverse(f"join_{step.value}", args=[attempt.pk])


def resume_url(attempt: Attempt) -> str:
    return reverse("join_resume", args=[attempt.pk])


def is_mine(request: HttpRequest, attempt: Attempt) -> bool:
    """Whether the attempt is the account's or, while it has none, the visitor's.

    That is who has the browser's cookie, or is signed in with the address typed at Register: the
    e-mail to a known address leads back here, also in another browser.
    """
    if attempt.account is not None:
        return request.user.is_authenticated and attempt.account.owner_id == request.user.pk
    return is_of_browser(request, attempt) or (
        request.user.is_authenticated and is_addressed_to(request.user, attempt)
    )


def is_of_browser(request: HttpRequest, attempt: Attempt) -> bool:
    browser_secret = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    return secrets.compare_digest(hash_of(browser_secret), attempt.browser_hash)


def is_addressed_to(user: User, attempt: Attempt) -> bool:
    """Whether the address typed at Register is this user's proven one.

    Who began it gains nothing: entering removes what was ticked without this log-in, and the
    last page asks for the agreement.
    """
    return canonical_or_none(attempt.registration_email) == user.email


def own_attempt(view: Callable[[HttpRequest, Attempt], HttpResponse]) -> ViewFunction:
    @login_not_required
    @require_safe
    @wraps(view)
    def gated(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
        attempt = find_attempt(attempt_id)
        if attempt is None or not is_mine(request, attempt):
            return answer_to_stranger(request, attempt_id)
        speak_language_of(request, attempt)
        return view(request, attempt)

    return gated


def answer_to_stranger(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
    """Ask to log in, whether or not the attempt exists; 404 for another user."""
    if request.user.is_authenticated:
        return render(request, "association/unknown_attempt.html", status=404)
    note_unsent(request)
    return redirect_to_login(reverse("join_resume", args=[attempt_id]))


def speak_language_of(request: HttpRequest, attempt: Attempt) -> None:
    """Show the reader's choice, else the attempt's language; a POST keeps a new choice."""
    choice: str | None = request.language_choice  # type: ignore[attr-defined]
    if choice is None:
        translation.activate(attempt.language)
    elif request.method == "POST" and choice != attempt.language:
        change_language(attempt=attempt, language=choice)


def begin_journey(request: HttpRequest, attempt: Attempt) -> Journey | HttpResponse:
    """Decide once for the whole request; return the answer when the journey has ended.

    It has ended with the result, when the account is this partner's by another invitation, or when
    the invitation is not live.
    """
    if hasattr(attempt, "association"):
        return see_other(step_url(attempt, Step.DONE))
    now = timezone.now()
    admission = admit(attempt=attempt, now=now) if attempt.account is not None else None
    if admission is not None and admission.is_already_associated_here:
        return lead_to_own_partner(request, attempt.invitation.partner)
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        return dead_link(request, refusal, attempt.invitation.partner)
    versions = load_versions()
    undone = first_undone_step(attempt, versions, admission)
    return Journey(attempt, versions, admission, undone, now)


def lead_to_own_partner(request: HttpRequest, partner: Partner) -> HttpResponse:
    """Tell a customer of the partner that there is nothing to follow; the message is a cookie."""
    text = _("You are already a customer of %(partner)s. Nothing has been changed.")
    messages.info(request, text % {"partner": partner.name})
    return see_other("my_partner")


def time_to_change(association: Association, now: datetime) -> dict[str, Any]:
    """Return what `association/_time_to_change.html` shows; the account must be loaded."""
    last_moment = last_moment_of(association.account)
    return {
        "last_moment": last_moment,
        "is_too_late": now > last_moment,
        "answer_days": settings.END_REQUEST_DAYS,
    }


def enter_step(request: HttpRequest, attempt: Attempt, step: Step) -> Journey | HttpResponse:
    journey = begin_journey(request, attempt)
    if not isinstance(journey, Journey):
        return journey
    if not is_open(step, undone=journey.undone, posted=request.method == "POST"):
        return see_other(step_url(attempt, journey.undone))
    return journey


def attempt_step(
    step: Step,
    *,
    is_action: bool = False,
    is_final: bool = False,
    repeats: Callable[[HttpRequest, Attempt], bool] = lambda _request, _attempt: False,
) -> Callable[[StepView], ViewFunction]:
    """Let a visitor use a view only on their own attempt, while its step is open.

    `is_action`: a GET leads to the step's page. `is_final`: `associate()` decides about a POST, so
    that the rules are read once. `repeats` finds the second request of a double click, to be
    answered like the first.
    """

    def decorate(view: StepView) -> ViewFunction:
        @login_not_required
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def gated(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
            if is_action and request.method != "POST":
                return see_other(reverse(f"join_{step.value}", args=[attempt_id]))
            attempt = find_attempt(attempt_id)
            is_repeated = attempt is not None and repeats(request, attempt)
            if attempt is None or not (is_repeated or is_mine(request, attempt)):
                return answer_to_stranger(request, attempt_id)
            speak_language_of(request, attempt)
            is_entered = attempt.account is not None and not hasattr(attempt, "association")
            if is_repeated or (is_final and request.method == "POST" and is_entered):
                journey = Journey(attempt, load_versions(), None, step, timezone.now())
                return _answer(view, request, journey)
            return _answer(view, request, enter_step(request, attempt, step))

        return gated

    return decorate


def _answer(view: StepView, request: HttpRequest, journey: Journey | HttpResponse) -> HttpResponse:
    """Call the view; lead to the present step when another tab has changed the attempt."""
    if not isinstance(journey, Journey):
        return journey
    try:
        return view(request, journey)
    except Refused as refused:
        match refused.code:
            case JourneyRefusal.FINISHED:
                return see_other(step_url(journey.attempt, Step.DONE))
            case JourneyRefusal.OTHER_ACCOUNT | JourneyRefusal.NOTHING_REFUSED:
                return see_other(resume_url(journey.attempt))
        raise

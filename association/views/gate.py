"""Who may come: the journey's gatekeeping, done once for every page of an attempt."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.views.answers import see_other
from association.models import Association, Attempt
from association.services.admission import Admission, admit
from association.services.attempts import (
    AttemptFinished,
    change_language,
    find_attempt,
    hash_of,
)
from association.services.documents import Versions, load_versions
from association.services.standing import find_own_association
from association.services.steps import Step, first_undone_step, is_open
from association.views.dead_links import dead_link
from association.views.urls_of import step_url
from partners.models import Invitation, Partner


@dataclass(frozen=True, slots=True)
class Journey:
    """What every page of an attempt works with; one reading of the clock and of the database."""

    attempt: Attempt
    versions: Versions
    admission: Admission | None
    undone: Step
    now: datetime

    @property
    def invitation(self) -> Invitation:
        """The invitation that is followed."""
        return self.attempt.invitation

    @property
    def partner(self) -> Partner:
        """The partner that invites."""
        return self.attempt.invitation.partner


StepView = Callable[[HttpRequest, Journey], HttpResponse]


def signed_in(request: HttpRequest) -> User:
    """Return the user; behind a log-in there is one."""
    if not isinstance(request.user, User):
        raise TypeError("Nobody is signed in.")
    return request.user


def own_association(request: HttpRequest) -> Association:
    """Return the association of whoever is signed in; for others the page does not exist."""
    association = find_own_association(signed_in(request))
    if association is None:
        raise Http404
    return association


def is_mine(request: HttpRequest, attempt: Attempt) -> bool:
    """Whether the attempt is the visitor's: by the browser until it has an account, then by it."""
    if attempt.account is not None:
        return request.user.is_authenticated and attempt.account.owner_id == request.user.pk
    return is_of_browser(request, attempt)


def is_of_browser(request: HttpRequest, attempt: Attempt) -> bool:
    """Whether the request carries the cookie of the browser that started the attempt."""
    browser_secret = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    return secrets.compare_digest(hash_of(browser_secret), attempt.browser_hash)


def is_repeated_registration(request: HttpRequest, attempt: Attempt, step: Step | None) -> bool:
    """Whether this browser sends again the registration that gave the attempt its account.

    The second half of a double click still comes without the session of the first; the code and
    the password in it are checked like the first time.
    """
    return (
        step == Step.REGISTER
        and request.POST.get("action") == "register"
        and not request.user.is_authenticated
        and attempt.registered_at is not None
        and is_of_browser(request, attempt)
    )


def own_attempt(
    request: HttpRequest, attempt_id: UUID, step: Step | None = None
) -> Attempt | HttpResponseBase:
    """Return the visitor's own attempt, else the answer: to log-in for strangers, 404 for others.

    A stranger is asked to log in whether or not the attempt exists.
    """
    attempt = find_attempt(attempt_id)
    if attempt is not None and (
        is_mine(request, attempt) or is_repeated_registration(request, attempt, step)
    ):
        return attempt
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(reverse("join_resume", args=[attempt_id]))


def speak_language_of(request: HttpRequest, attempt: Attempt) -> None:
    """Show the reader's choice, else the attempt's language; a POST keeps a new choice."""
    choice: str | None = request.language_choice  # type: ignore[attr-defined]
    if choice is None:
        translation.activate(attempt.language)
    elif request.method == "POST" and choice != attempt.language:
        change_language(attempt=attempt, language=choice)


def begin_journey(request: HttpRequest, attempt: Attempt) -> Journey | HttpResponse:
    """Read the clock and decide, once for the whole request; else the answer where it ends.

    It ends in the result, in My partner for an account that is this partner's already by another
    invitation, or in the dead link's page.
    """
    if hasattr(attempt, "association"):
        return see_other(step_url(attempt, Step.DONE))
    now = timezone.now()
    admission = admit(attempt=attempt, now=now) if attempt.account is not None else None
    if admission is not None and admission.is_already_associated_here:
        return see_other("my_partner")
    refusal = attempt.invitation.refusal(now)
    if refusal is not None:
        return dead_link(request, refusal, attempt.invitation.partner)
    versions = load_versions()
    undone = first_undone_step(attempt, versions, admission)
    return Journey(attempt, versions, admission, undone, now)


def come_to_step(request: HttpRequest, attempt_id: UUID, step: Step) -> Journey | HttpResponseBase:
    """Return the journey of a visitor who may use this step's page, else where they belong.

    In this order: whose attempt it is; where the journey has ended; the first undone step (303)
    when it is not this step's turn.
    """
    attempt = own_attempt(request, attempt_id, step)
    if not isinstance(attempt, Attempt):
        return attempt
    speak_language_of(request, attempt)
    if is_repeated_registration(request, attempt, step):
        return Journey(attempt, load_versions(), None, Step.ACCOUNT, timezone.now())
    journey = begin_journey(request, attempt)
    if not isinstance(journey, Journey):
        return journey
    if not is_open(step, undone=journey.undone, posted=request.method == "POST"):
        return see_other(step_url(attempt, journey.undone))
    return journey


def attempt_step(step: Step) -> Callable[[StepView], Callable[..., HttpResponseBase]]:
    """Let a visitor use a step's page only on their own attempt, while it is that step's turn.

    An attempt that another tab finishes meanwhile is answered with its result.
    """

    def decorate(view: StepView) -> Callable[..., HttpResponseBase]:
        @login_not_required
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def gated(request: HttpRequest, attempt_id: UUID) -> HttpResponseBase:
            journey = come_to_step(request, attempt_id, step)
            if not isinstance(journey, Journey):
                return journey
            try:
                return view(request, journey)
            except AttemptFinished:
                return see_other(step_url(journey.attempt, Step.DONE))

        return gated

    return decorate

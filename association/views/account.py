"""Which account joins: a new, an own, another or one invited online; and the browser's cookie."""

import re
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import CustomerAccount, User
from association.enums import Step
from association.forms.joining import AskForm
from association.models import Attempt
from association.services.admission import may_use_link
from association.services.attempts import (
    enter_attempt,
    forget_ticks,
    new_browser_secret,
    restart_attempt,
)
from association.views.gate import (
    Journey,
    attempt_step,
    is_of_browser,
    progress,
    resume_url,
    step_url,
)
from partners.enums import Channel
from partners.models import Invitation
from partners.services.invitation_requests import request_online_invitation
from web import limits
from web.answers import limited, posted, see_other

_SECRET = re.compile(r"[0-9a-f]{32}")


def browser_secret_of(request: HttpRequest) -> str:
    secret = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    return secret if _SECRET.fullmatch(secret) else new_browser_secret()


def remember_browser(response: HttpResponse, secret: str) -> HttpResponse:
    """Set the cookie that makes an attempt this browser's until it has an account."""
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        secret,
        max_age=settings.BROWSER_COOKIE_AGE,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
    return response


def own_account(request: HttpRequest) -> CustomerAccount | None:
    return CustomerAccount.objects.filter(owner_id=request.user.pk).first()


def show_choice(
    request: HttpRequest,
    invitation: Invitation,
    *,
    back_url: str,
    attempt: Attempt | None = None,
    problem: str = "",
) -> HttpResponse:
    is_link = invitation.channel == Channel.LINK
    mine = own_account(request) if request.user.is_authenticated else None
    context = {
        "invitation": invitation,
        "partner": invitation.partner,
        "attempt": attempt,
        "is_link": is_link,
        "account": mine,
        "needs_other_invitation": is_link and mine is not None and not may_use_link(mine),
        "back_url": back_url,
        "problem": problem,
        **progress(invitation, Step.ACCOUNT),
    }
    status = 409 if problem else 200
    return render(request, "association/account.html", context, status=status)


@attempt_step(Step.ACCOUNT)
def account(request: HttpRequest, journey: Journey) -> HttpResponse:
    if request.method == "POST":
        return follow_choice(request, journey.attempt, now=journey.now)
    return _show_choice_of(request, journey.attempt)


def _show_choice_of(request: HttpRequest, attempt: Attempt, problem: str = "") -> HttpResponse:
    invitation = attempt.invitation
    back_url = (
        step_url(attempt, Step.INSTRUCTIONS)
        if invitation.is_reseller
        else reverse("landing", args=[invitation.token])
    )
    return show_choice(request, invitation, back_url=back_url, attempt=attempt, problem=problem)


def follow_choice(request: HttpRequest, attempt: Attempt, *, now: datetime) -> HttpResponse:
    choice = request.POST.get("choice")
    if choice == "continue":
        return _continue_as_shown(request, attempt, now)
    if choice in {"switch", "register"} and request.user.is_authenticated:
        if not is_of_browser(request, attempt):
            return _begin_again_here(request, attempt, now)
        forget_ticks(attempt=attempt)
        logout(request)
    match choice:
        case "register":
            return see_other(step_url(attempt, Step.REGISTER))
        case "ask":
            return see_other(step_url(attempt, Step.ASK))
        case "login":
            query = urlencode({"next": resume_url(attempt)})
            return see_other(f"{reverse('account_login')}?{query}")
    return see_other(step_url(attempt, Step.ACCOUNT))


def _begin_again_here(
    request: HttpRequest, attempt: Attempt, now: datetime, step: Step = Step.ACCOUNT
) -> HttpResponse:
    """Log out to use another account; the attempt of another browser stays as it is."""
    secret = browser_secret_of(request)
    fresh = restart_attempt(attempt=attempt, browser_secret=secret, now=now)
    logout(request)
    return remember_browser(see_other(step_url(fresh, step)), secret)


def _continue_as_shown(request: HttpRequest, attempt: Attempt, now: datetime) -> HttpResponse:
    """Enter with the account that the page named, if it is still signed in."""
    mine = own_account(request)
    shown = request.POST.get("account", "")
    if mine is None or shown not in {"", str(mine.pk)}:
        return _show_choice_of(
            request,
            attempt,
            _("Meanwhile another account has been signed in. Please choose again."),
        )
    enter_attempt(attempt=attempt, account=mine, now=now)
    return see_other(resume_url(attempt))


@limited
@attempt_step(Step.ASK)
def ask(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Ask the partner for an online invitation to an existing account; one neutral answer."""
    attempt = journey.attempt
    if journey.invitation.channel != Channel.LINK:
        return see_other(step_url(attempt, journey.undone))
    email = request.user.email if isinstance(request.user, User) else ""
    form = AskForm(posted(request), initial={"email": email})
    context = {
        "form": form,
        "partner": journey.partner,
        "back_url": resume_url(attempt),
    }
    if request.method == "POST" and form.is_valid():
        limits.count_use("ask")
        request_online_invitation(
            invitation=journey.invitation,
            address=form.cleaned_data["email"],
            language=attempt.language,
            now=journey.now,
        )
        return see_other(f"{step_url(attempt, Step.ASK)}?asked")
    if "asked" in request.GET:
        context["asked"] = True
    else:
        context |= progress(journey.invitation, Step.ASK)
    status = 400 if form.is_bound else 200
    return render(request, "association/ask.html", context, status=status)


@attempt_step(Step.SWITCH)
def switch(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Log out to use another account or a new one, without what was ticked for this one."""
    step = Step.REGISTER if request.POST.get("choice") == "register" else Step.ACCOUNT
    return _begin_again_here(request, journey.attempt, journey.now, step)

"""The first step of an invitation: its POST creates the attempt."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from association.enums import Step
from association.forms.documents import InstructionsForm
from association.models import Attempt
from association.services.attempts import start_attempt
from association.views.account import (
    browser_secret_of,
    follow_choice,
    remember_browser,
    show_choice,
)
from association.views.gate import step_url
from association.views.instructions import agree, documents_to_read, show_instructions
from association.views.landing import speak_language_for, unknown_invitation
from association.views.remembered import dead_link
from partners.models import Invitation
from partners.services.invitation_use import find_invitation
from web import limits
from web.answers import limited, posted, see_other

InvitationView = Callable[[HttpRequest, Invitation], HttpResponse]


def live_invitation(view: InvitationView) -> Callable[..., HttpResponseBase]:
    @login_not_required
    @limited
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def gated(request: HttpRequest, token: str) -> HttpResponse:
        invitation = find_invitation(token)
        if invitation is None:
            return unknown_invitation(request)
        speak_language_for(request, invitation)
        refusal = invitation.refusal(timezone.now())
        if refusal is not None:
            return dead_link(request, refusal, invitation.partner)
        return view(request, invitation)

    return gated


@live_invitation
def first_instructions(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Show the instructions; agreeing to them creates the attempt. Referral has none."""
    if not invitation.is_reseller:
        return see_other(reverse("first_account", args=[invitation.token]))
    form = InstructionsForm(posted(request), documents=documents_to_read())
    back_url = reverse("landing", args=[invitation.token])
    if request.method != "POST" or not form.is_valid():
        return show_instructions(request, invitation, form, back_url=back_url)
    limits.count_use("start_attempt")
    with transaction.atomic():
        attempt, secret = begin_attempt(request, invitation)
        agree(request, attempt, form, now=attempt.started_at)
    return remember_browser(see_other(step_url(attempt, Step.ACCOUNT)), secret)


@live_invitation
def first_account(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    """Show the choice of account, which creates a referral's attempt. Reseller reads first."""
    if invitation.is_reseller:
        return see_other(reverse("first_instructions", args=[invitation.token]))
    if request.method != "POST":
        back_url = reverse("landing", args=[invitation.token])
        return show_choice(request, invitation, back_url=back_url)
    limits.count_use("start_attempt")
    attempt, secret = begin_attempt(request, invitation)
    return remember_browser(follow_choice(request, attempt, now=attempt.started_at), secret)


def begin_attempt(request: HttpRequest, invitation: Invitation) -> tuple[Attempt, str]:
    """Create the attempt for this browser, with the secret that it may already have."""
    secret = browser_secret_of(request)
    attempt = start_attempt(
        invitation=invitation,
        browser_secret=secret,
        language=request.LANGUAGE_CODE,
        now=timezone.now(),
    )
    return attempt, secret

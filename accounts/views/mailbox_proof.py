"""A log-in with a new browser, at an account that others guess at: a code proves the mailbox."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms import LogInCodeForm, MailboxForm, refusals_as_errors
from accounts.known_browsers import remember_known_browser
from accounts.services.log_in import mailbox_of, prove_mailbox, send_log_in_code
from web import limits
from web.answers import limited, posted, posts_only, see_other, wait_before_retry

_READ_AND_POST = require_http_methods(["GET", "HEAD", "POST"])
# In the session: the address that gets the code, the flow that the code belongs to, and `next`.
_STARTED = "mailbox_proof"


def ask_for_proof(request: HttpRequest, *, seconds: int) -> HttpResponse:
    """Answer a log-in: too many guesses at this account, in `seconds` it works without a code."""
    form = MailboxForm(initial=request.POST.dict())
    template = "account/mailbox_unproven.html"
    return wait_before_retry(request, template, 429, seconds=seconds, form=form)


@posts_only("account_prove_mailbox")
@login_not_required
@limited
def send_code(request: HttpRequest) -> HttpResponse:
    """Begin the proof: send the first code to the mailbox of the login that was typed."""
    form = MailboxForm(posted(request))
    if not form.is_valid():
        return render(request, "account/mailbox_unproven.html", {"form": form}, status=400)
    typed = form.cleaned_data
    # Two clicks are one flow, because the form names it.
    started = {"email": mailbox_of(typed["login"]), "flow": typed["flow"].hex}
    started[REDIRECT_FIELD_NAME] = typed[REDIRECT_FIELD_NAME]
    _send(started)
    request.session[_STARTED] = started
    return see_other("account_prove_mailbox")


@posts_only("account_prove_mailbox")
@login_not_required
@limited
def send_new_code(request: HttpRequest) -> HttpResponse:
    """Send another code of the proof that this session has begun."""
    started = request.session.get(_STARTED)
    if started is None:
        return see_other("account_login")
    _send(started)
    return see_other("account_prove_mailbox")


def _send(started: Mapping[str, Any]) -> None:
    """Send a code; where the login belongs to nobody, do nothing but count."""
    limits.count_use("send_code")
    if started["email"]:
        now, language = timezone.now(), get_language()
        send_log_in_code(email=started["email"], flow=started["flow"], language=language, now=now)


@_READ_AND_POST
@sensitive_post_parameters("code")
@login_not_required
@limited
def prove(request: HttpRequest) -> HttpResponse:
    started = request.session.get(_STARTED)
    if started is None:
        return redirect("account_login")
    form = LogInCodeForm(posted(request))
    if form.is_valid():
        email, flow = started["email"] or "", started["flow"]
        with refusals_as_errors(form, "code"):
            code, now = form.cleaned_data["code"], timezone.now()
            user = prove_mailbox(email=email, flow=flow, code=code, now=now)
            del request.session[_STARTED]
            messages.success(request, _("Thank you. Now log in with your password."))
            query = urlencode({REDIRECT_FIELD_NAME: started[REDIRECT_FIELD_NAME]})
            response = see_other(f"{reverse('account_login')}?{query}")
            remember_known_browser(response, user)
            return response
    status = 400 if form.errors else 200
    return render(request, "account/prove_mailbox.html", {"form": form}, status=status)

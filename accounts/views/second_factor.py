"""The second step of the log-in: turning it on with an authenticator app, and off again."""

import base64
from io import BytesIO
from typing import Any, cast

import qrcode
from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.hashers import make_password
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from qrcode.image.svg import SvgPathFillImage

from accounts.enums import SecondFactorRefusal
from accounts.forms import (
    RemoveSecondFactorForm,
    SetUpSecondFactorForm,
    is_password_right,
    refusals_as_errors,
)
from accounts.issuer_logins import names_issuers
from accounts.issuers import Issuer
from accounts.models import User
from accounts.refusals import refusal_sentence
from accounts.services.connected_logins import list_connected_logins
from accounts.services.second_factor import (
    find_second_factor,
    new_totp_secret,
    remove_second_factor,
    set_up_second_factor,
)
from web.answers import limited, see_other
from web.refused import Refused
from web.session_life import is_fresh

_SECRET = "second_factor_secret"  # noqa: S105 - the name of it in the session


@names_issuers
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "password")
@limited
def second_factor(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request)
    actions = {"begin": _begin, "set_up": _set_up, "remove": _remove}
    action = actions.get(request.POST.get("action", ""))
    return action(request) if action else see_other("second_factor")


def _begin(request: HttpRequest) -> HttpResponse:
    """Make a new secret for the app; nothing is on before its first code has come."""
    request.session[_SECRET] = new_totp_secret()
    return see_other("second_factor")


def _set_up(request: HttpRequest) -> HttpResponse:
    secret = request.session.get(_SECRET)
    if secret is None:
        return see_other("second_factor")
    user = cast("User", request.user)
    form = SetUpSecondFactorForm(request.POST, user=user)
    if not _is_proven(request, form):
        return _show(request, form)
    code = form.cleaned_data["code"]
    # Without one, a hash that fits no password ends the other sessions too.
    password_hash = make_password(form.cleaned_data.get("password"))
    try:
        codes = set_up_second_factor(
            user=user, password_hash=password_hash, secret=secret, code=code, now=timezone.now()
        )
    except Refused as refused:
        if refused.code == SecondFactorRefusal.ON_ALREADY:
            return see_other("second_factor")
        form.add_error("code", refusal_sentence(refused))
        return _show(request, form)
    # Also gives the session a new key.
    update_session_auth_hash(request, user)
    return render(request, "account/recovery_codes.html", {"codes": codes})


def _remove(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    form = RemoveSecondFactorForm(request.POST, user=user)
    if not _is_proven(request, form):
        return _show(request, form)
    code = form.cleaned_data["code"]
    with refusals_as_errors(form, "code"):
        remove_second_factor(user=user, code=code, now=timezone.now())
        request.session.pop(_SECRET, None)
        messages.success(request, _("Logging in takes no second step any more."))
        return see_other("second_factor")
    return _show(request, form)


def _is_proven(request: HttpRequest, form: Form) -> bool:
    user = cast("User", request.user)
    if "password" not in form.fields and not is_fresh(request.session):
        # In place of the password: a stranger at an open browser cannot repeat the log-in.
        form.add_error(None, _("Log out and log in again first: you have ten minutes then."))
    return form.is_valid() and is_password_right(
        form, "password", user=user, action="second_factor"
    )


def _show(request: HttpRequest, form: Form | None = None) -> HttpResponse:
    user, secret = cast("User", request.user), request.session.get(_SECRET)
    app = find_second_factor(user)
    context: dict[str, Any] = {"app": app, "confirming": _confirming_issuers(user)}
    if app is not None:
        context["form"] = form or RemoveSecondFactorForm(user=user)
    elif secret is not None:
        context["form"] = form or SetUpSecondFactorForm(user=user)
        context["secret_in_groups"] = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
        context["picture"] = _picture(get_adapter().build_totp_url(user, secret))
    status = 400 if form is not None and form.errors else 200
    return render(request, "account/second_factor.html", context, status=status)


def _confirming_issuers(user: User) -> list[Issuer]:
    """Return the issuers of the user's log-ins that can ask for a second step themselves."""
    issuers = [login.configured for login in list_connected_logins(user.pk)]
    return [row for row in issuers if row is not None and (row.acr or row.amr)]


def _picture(text: str) -> str:
    """Return a QR code as a data URL: dark on white in any colour scheme."""
    drawn = BytesIO()
    qrcode.make(text, image_factory=SvgPathFillImage).save(drawn)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()

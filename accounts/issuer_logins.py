"""What a session knows of a log-in at an issuer: which one, and whether it confirmed a second step.

The callback notes it before the log-in; the log-in keeps it in the new session.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpRequest, HttpResponseBase

from accounts.issuers import Issuer, issuer_with_id
from accounts.models import User
from accounts.services.second_factor import has_second_factor

ISSUER_LOGIN = "issuer_login"


def note_issuer_login(
    session: SessionBase, user: User, issuer: Issuer, *, second_factor: bool
) -> None:
    session[ISSUER_LOGIN] = {
        "user": user.pk,
        "issuer": issuer.id,
        "second_factor": second_factor,
    }


def issuer_login_of(session: SessionBase, user: User) -> dict[str, Any] | None:
    """Return what was noted for this user; what was noted for another one does not count."""
    noted = session.get(ISSUER_LOGIN)
    return noted if noted and noted["user"] == user.pk else None


def confirmed_by_issuer(session: SessionBase, user: User) -> bool:
    """Return whether the issuer of this log-in has asked for a second step."""
    noted = issuer_login_of(session, user)
    return noted is not None and bool(noted["second_factor"])


def passes_second_factor(request: HttpRequest, user: User) -> bool:
    """Return whether this log-in had a second step, the issuer's or ours.

    Ours was asked for at the log-in where it is on.
    """
    return confirmed_by_issuer(request.session, user) or has_second_factor(user)


def issuer_of_login(request: HttpRequest) -> Issuer | None:
    """Return the issuer at which the signed-in user has logged in, if any."""
    user = request.user
    noted = issuer_login_of(request.session, user) if isinstance(user, User) else None
    if noted is None:
        return None
    return issuer_with_id(noted["issuer"])


def names_issuers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let the forms of this page lead to the issuers: browsers check where a POST is redirected."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
        origins = [origin for issuer in settings.OIDC_PROVIDERS for origin in issuer.origins]
        page = csp_update({"form-action": origins})(view) if origins else view
        return page(request, *args, **parameters)

    return answer


def needs_passwords(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Answer 404 where PASSWORD_LOGIN is off: the page is about a password."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **parameters: Any) -> HttpResponseBase:
        if not settings.PASSWORD_LOGIN:
            raise Http404
        return view(request, *args, **parameters)

    return answer

"""A person whom an issuer has proven gets an account; the country is asked for if it is unknown."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods

from accounts.enums import RegistrationSite
from accounts.fields import CountryField
from accounts.issuers import Issuer
from accounts.services.connected_logins import Identity
from accounts.services.issuer_registration import Person
from association.enums import JourneyRefusal, Step
from association.models import Attempt
from association.services.registration import register_person_for_attempt
from association.views.gate import progress, resume_url, step_url
from integration.services.issuer_flows import LIFETIME
from integration.views.issuer_pages import enter, issuer_or_404, open_attempt, problem_page
from web.answers import limited, posted, see_other
from web.refused import Refused

# In the session: who has come from the issuer, until the country is known.
_WAITING = "issuer_person"


class CountryForm(forms.Form):
    country = CountryField()


def register_or_ask(
    request: HttpRequest, issuer: Issuer, attempt: Attempt, person: Person, *, second_factor: bool
) -> HttpResponse:
    """Register the person in the attempt, or lead to the page that asks for the country.

    Raises Refused: ADDRESS_TAKEN, NOT_ACTIVE.
    """
    if not person.country:
        _keep(request, attempt, person, second_factor)
        return see_other("issuer_country", issuer_id=issuer.id)
    return _register(request, issuer, attempt, person, person.country, second_factor)


@login_not_required
@limited
@require_http_methods(["GET", "HEAD", "POST"])
def ask_country(request: HttpRequest, issuer_id: str) -> HttpResponse:
    issuer, waiting = issuer_or_404(issuer_id), request.session.get(_WAITING)
    if waiting is None:
        return see_other("account_login")
    attempt = open_attempt(request, waiting["next"])
    person = _person_of(waiting, issuer, timezone.now())
    if attempt is None or person is None:
        return see_other("account_login")
    form = CountryForm(posted(request), initial={"country": attempt.invitation.country})
    if form.is_valid():
        country, second_factor = form.cleaned_data["country"], waiting["second_factor"]
        try:
            return _register(request, issuer, attempt, person, country, second_factor)
        except Refused as refused:
            return problem_page(request, issuer, refused, waiting["next"])
    context = {
        "form": form,
        "issuer": issuer,
        "partner": attempt.invitation.partner,
        "email": person.email,
        "back_url": step_url(attempt, Step.ACCOUNT),
        **progress(attempt.invitation, Step.REGISTER),
    }
    status = 400 if form.errors else 200
    return render(request, "integration/ask_country.html", context, status=status)


def _register(
    request: HttpRequest,
    issuer: Issuer,
    attempt: Attempt,
    person: Person,
    country: str,
    second_factor: bool,
) -> HttpResponse:
    try:
        user = register_person_for_attempt(
            attempt=attempt, person=person, country=country, now=timezone.now()
        )
    except Refused as refused:
        if not isinstance(refused.code, JourneyRefusal):
            raise
        # Another tab was quicker; the attempt's page says what has become of it.
        return see_other(resume_url(attempt))
    return enter(request, issuer, user, resume_url(attempt), second_factor=second_factor)


def _keep(request: HttpRequest, attempt: Attempt, person: Person, second_factor: bool) -> None:
    registered_at = person.registered_at
    request.session[_WAITING] = {
        "person": {
            **asdict(person),
            "registered_at": registered_at.isoformat() if registered_at else None,
        },
        "next": resume_url(attempt),
        "second_factor": second_factor,
        "since": timezone.now().isoformat(),
    }


def _person_of(waiting: dict[str, Any], issuer: Issuer, now: datetime) -> Person | None:
    """Return the person who has come from this issuer, within the last ten minutes."""
    fields, since = dict(waiting["person"]), parse_datetime(waiting["since"])
    identity = Identity(**fields.pop("identity"))
    if identity.issuer != issuer.issuer or since is None or now >= since + LIFETIME:
        return None
    registered_at = fields.pop("registered_at")
    return Person(
        **{**fields, "registration_site": RegistrationSite(fields["registration_site"])},
        identity=identity,
        registered_at=parse_datetime(registered_at) if registered_at else None,
    )

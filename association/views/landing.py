"""The landing page of an invitation, and the page to type a token; their GET writes nothing."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import linebreaksbr
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from association.forms.joining import TokenForm
from association.services.attempts import find_own_association, find_own_attempt, hash_of
from association.views.gate import lead_to_own_partner, resume_url, time_to_change
from association.views.remembered import MOST_REMEMBERED, answer_alike, dead_link, unknown_link
from partners.enums import Channel
from partners.models import Invitation
from partners.services.offers import Offer, find_offer
from web import limits
from web.answers import posted, see_other
from web.cookies import has_personal_cookie
from web.email_addresses import mask_canonical
from web.middleware import supported_language
from web.templatetags.moments import moment


@login_not_required
@require_safe
def landing(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites and what joining means: one statement, no cookie for a stranger.

    A known visitor is led to the first undone step or to the result, or told the account's partner.
    """
    invitation = find_offer(token)
    if invitation is None:
        return unknown_invitation(request)
    speak_language_for(request, invitation)
    answer = answer_to_known_visitor(request, invitation)
    if answer is not None:
        return answer
    refusal = invitation.refusal(timezone.now())
    if refusal is not None:
        return dead_link(request, refusal, invitation.partner)
    return answer_alike(
        request,
        "association/landing.html",
        shown=shown_of(invitation, supported_language(request.GET.get("lang"))),
        own=own_of(invitation),
    )


def shown_of(invitation: Offer, language: str | None) -> dict[str, Any]:
    """Return what the page shows of invitations like this one.

    `language` was chosen in the URL, and is passed on to the first step.
    """
    return {
        "partner": invitation.partner,
        "association_type": invitation.association_type,
        "is_reseller": invitation.is_reseller,
        "is_link": invitation.channel == Channel.LINK,
        "allowed_domains": invitation.allowed_domains,
        "language_query": f"?lang={language}" if language else "",
    }


def own_of(invitation: Offer) -> dict[str, str]:
    places = invitation.remaining_uses if invitation.channel == Channel.LINK else None
    expires_at, language = invitation.expires_at, translation.get_language()
    return {
        "token": invitation.token,
        "note": note_html(invitation.note) if invitation.note else "",
        "address": mask_canonical(invitation.recipient) if invitation.is_bound else "",
        "until": until_in_zone(expires_at, invitation.partner.time_zone) if expires_at else "",
        "places": "" if places is None else places_left(places, language),
    }


def until_in_zone(expires_at: datetime, time_zone: str) -> str:
    """Return the moment in the partner's zone, as its e-mails and print sheets name it."""
    return moment(expires_at, ZoneInfo(time_zone))


# A mailing's invitations share the note; `benchmarks/pages.py` counts the calls.
@lru_cache(maxsize=MOST_REMEMBERED)
def note_html(note: str) -> str:
    return linebreaksbr(note, autoescape=True)


@lru_cache(maxsize=MOST_REMEMBERED)
def places_left(places: int, language: str) -> str:
    text = ngettext("%(left)s place is left.", "%(left)s places are left.", places)
    return text % {"left": places}


def speak_language_for(request: HttpRequest, invitation: Invitation | Offer) -> None:
    """Use the reader's choice, else the invitation's language, else the browser's."""
    language = supported_language(invitation.language)
    if request.language_choice is None and language:  # type: ignore[attr-defined]
        translation.activate(language)
        request.LANGUAGE_CODE = language


def answer_to_known_visitor(request: HttpRequest, invitation: Offer) -> HttpResponse | None:
    """Lead on a visitor whose browser or log-in we know; None shows the page to them as well."""
    cookies = request.COOKIES
    if not has_personal_cookie(request):
        return None
    owner = request.user if request.user.is_authenticated else None
    secret = cookies.get(settings.BROWSER_COOKIE_NAME)
    attempt = find_own_attempt(
        invitation_id=invitation.pk, owner=owner, browser_hash=secret and hash_of(secret)
    )
    now = timezone.now()
    is_live = invitation.refusal(now) is None
    if attempt is not None and (is_live or hasattr(attempt, "association")):
        return see_other(resume_url(attempt))
    association = find_own_association(owner) if owner is not None else None
    if association is None:
        return None
    if association.partner_id == invitation.partner_id:
        return lead_to_own_partner(request, association.partner)
    if not is_live:
        return None
    context = {"association": association, **time_to_change(association, now)}
    return render(request, "association/other_partner.html", context)


def unknown_invitation(request: HttpRequest) -> HttpResponse:
    """Answer a URL that is no invitation; one client may ask for a limited number of them."""
    try:
        limits.count_use("unknown_token")
    except limits.LimitReached as reached:
        # Rendering this page for each of them would cost six times as much.
        shown = {"retry_after_seconds": reached.seconds}
        response = answer_alike(request, "429.html", shown=shown, own={}, status=429)
        response["Retry-After"] = str(reached.seconds)
        return response
    return unknown_link(request)


@login_not_required
@require_safe
def malformed_invitation(request: HttpRequest, rest: str) -> HttpResponse:
    return unknown_invitation(request)


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter_by_hand(request: HttpRequest) -> HttpResponse:
    form = TokenForm(posted(request))
    if request.method == "POST" and form.is_valid():
        return see_other(reverse("landing", args=[form.cleaned_data["token"]]))
    status = 400 if form.is_bound else 200
    return render(request, "association/enter_by_hand.html", {"form": form}, status=status)


@login_not_required
@require_safe
def front(request: HttpRequest) -> HttpResponse:
    return redirect("enter_by_hand")

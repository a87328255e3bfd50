"""My partner, the customer's page about the association, and the page after log-in."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from association.models import Association, Consent
from association.refusals import sentence_for
from association.services.budget_requests import ask_for_budget
from association.services.visitors import find_open_attempt, find_own_association
from association.views.gate import own_association, resume_url, signed_in
from association.views.my_partner_context import my_partner_context
from partners.services.member_invitations import has_member_invitation
from web.answers import see_other
from web.refused import Refused


@require_safe
def account_home(request: HttpRequest) -> HttpResponse:
    """Redirect to what the user can answer or finish, else to their page."""
    user, now = signed_in(request), timezone.now()
    attempt = find_open_attempt(user, now)
    if attempt is not None:
        return redirect(resume_url(attempt))
    if has_member_invitation(user=user, now=now):
        return redirect("membership")
    if hasattr(user, "customer_account"):
        return redirect("my_partner")
    if hasattr(user, "partner_member"):
        return redirect("console_overview")
    return render(request, "association/account_home.html")


@require_safe
def my_partner(request: HttpRequest) -> HttpResponse:
    """Show partner, status, freezes, budget, authorizations and consents of one's account."""
    association = find_own_association(signed_in(request))
    if association is None:
        return render(request, "association/no_partner.html")
    return show_my_partner(request, association)


@require_POST
def ask_budget(request: HttpRequest) -> HttpResponse:
    """Ask the partner to set a budget. A second request of a day changes nothing: no form key."""
    association = own_association(request)
    try:
        ask_for_budget(association=association, by=signed_in(request), now=timezone.now())
    except Refused as refused:
        return show_my_partner(request, association, problem=sentence_for(refused), status=409)
    text = _("%(partner)s has been asked to set a budget.")
    messages.success(request, text % {"partner": association.partner.name})
    return see_other("my_partner")


def show_my_partner(
    request: HttpRequest, association: Association, *, problem: str = "", status: int = 200
) -> HttpResponse:
    """Show the page as things are now, with the reason of a refusal above it."""
    context = {**my_partner_context(association, timezone.now()), "problem": problem}
    return render(request, "association/my_partner.html", context, status=status)


@require_safe
def consent(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Show what was agreed to, word for word, with version and moment."""
    user = signed_in(request)
    mine = Consent.objects.select_related("document", "authorization").filter(account__owner=user)
    found = get_object_or_404(mine, pk=consent_id)
    context = {"consent": found, "document": found.document, "back_url": reverse("my_partner")}
    return render(request, "association/consent.html", context)

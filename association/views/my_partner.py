"""My partner: what an associated customer sees about the association, and the way home."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.services.capabilities import capability_rows
from association.models import Association, Consent
from association.services.spending import spent_of
from association.services.standing import find_open_attempt
from association.views.gate import signed_in
from association.views.urls_of import resume_url
from partners.services.members import has_member_invitation


@require_safe
def account_home(request: HttpRequest) -> HttpResponse:
    """Lead to what is next for whoever logged in: something to answer or finish, or their page."""
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
    user = signed_in(request)
    association = (
        Association.objects.in_force()
        .select_related("partner", "account")
        .filter(account__owner=user)
        .first()
    )
    if association is None:
        return render(request, "association/no_partner.html")
    return render(request, "association/my_partner.html", my_partner_context(association))


def my_partner_context(association: Association) -> dict[str, object]:
    """Return everything My partner shows, read at this moment."""
    account = association.account
    freezes = list(account.freezes.order_by("-frozen_at", "-pk"))
    open_freezes = [freeze for freeze in freezes if freeze.is_open]
    budget = association.budgets.current().first()
    return {
        "association": association,
        "account": account,
        "partner": association.partner,
        "freezes": freezes,
        "is_frozen": bool(open_freezes),
        "capabilities": capability_rows(open_freezes),
        "budget": budget,
        "spent": spent_of(budget, timezone.now()) if budget is not None else None,
        "authorizations": association.authorizations.order_by("-pk"),
        "consents": account.consents.select_related("document").order_by("-agreed_at", "-pk"),
        "tasks": _tasks(association, has_budget=budget is not None, is_frozen=bool(open_freezes)),
    }


def _tasks(
    association: Association, *, has_budget: bool, is_frozen: bool
) -> list[dict[str, object]]:
    """Return what is done and what is waited for, in the order in which it happens."""
    waiting = _("Waiting for %(partner)s") % {"partner": association.partner.name}
    tasks: list[dict[str, object]] = [
        {"title": _("Account"), "state": "done"},
        {"title": _("Associated"), "state": "done"},
    ]
    if not association.is_reseller:
        return tasks
    steps = (
        (_("Budget"), has_budget),
        (pgettext("state of an account", "Unfrozen"), not is_frozen),
    )
    for title, is_done in steps:
        state = "done" if is_done else "waiting"
        tasks.append({"title": title, "state": state, "label": "" if is_done else waiting})
    return tasks


@require_safe
def consent(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Show what was agreed to, word for word, with version and moment."""
    user = signed_in(request)
    mine = Consent.objects.select_related("document").filter(account__owner=user)
    found = get_object_or_404(mine, pk=consent_id)
    context = {"consent": found, "document": found.document, "back_url": reverse("my_partner")}
    return render(request, "association/consent.html", context)

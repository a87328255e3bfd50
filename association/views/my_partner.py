"""My partner, the customer's page about the association, and the page after log-in."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from accounts.enums import FreezeCause
from accounts.models import CustomerAccount, Freeze
from association.ending_words import obstacle_lines, who_ended
from association.enums import AssociationRefusal, AuthorizationState, FrozenAction, Side
from association.freeze_words import ASKED
from association.models import Association, Attempt, Authorization, Budget, Consent
from association.refusals import SENTENCES, sentence_for
from association.services import budget_requests
from association.services.attempts import find_own_association, last_moment_of
from association.services.end_obstacles import find_obstacles
from association.services.endings import freezes_after, past_associations
from association.services.forecasts import budget_lasts_until
from association.services.freeze_advice import FreezeRow, advise, find_advice, first_action
from association.services.spending import resets_at, spent_of
from association.services.unfinished import dismiss_attempt, find_unfinished
from association.views.frozen import account_context
from association.views.gate import resume_url
from association.views.own import signed_in
from association.views.partner_actions import partner_actions
from partners.services.member_invitations import has_member_invitation
from web.answers import ViewFunction, posts_only, see_other
from web.downloads import as_attachment
from web.refused import Refused
from web.typed import typed_form


@require_safe
def account_home(request: HttpRequest) -> HttpResponse:
    user, now = signed_in(request), timezone.now()
    unfinished = find_unfinished(user, now)
    if unfinished.open is not None:
        return redirect(resume_url(unfinished.open))
    if has_member_invitation(user=user, now=now):
        return redirect("membership")
    if hasattr(user, "customer_account"):
        return redirect("my_partner")
    if hasattr(user, "partner_member"):
        return redirect("console_overview")
    return render(request, "association/account_home.html")


@require_safe
def my_partner(request: HttpRequest) -> HttpResponse:
    association = find_own_association(signed_in(request))
    if association is not None:
        return show_my_partner(request, association)
    past = past_associations(signed_in(request).pk)
    if past:
        return _show_past(request, past)
    return _show_no_partner(request)


def _show_no_partner(request: HttpRequest) -> HttpResponse:
    """Tell someone without a partner how to get one, and why the account is frozen if it is."""
    user, now = signed_in(request), timezone.now()
    account = getattr(user, "customer_account", None)
    context = _without_partner(account, now) if account is not None else {"may_join": True}
    unfinished = find_unfinished(user, now)
    return render(request, "association/no_partner.html", context | {"unfinished": unfinished})


def _without_partner(account: CustomerAccount, now: datetime) -> dict[str, Any]:
    """Return what pages of an account without a partner show: only the provider freezes it."""
    rows, last_moment = find_advice(account, None, now=now), last_moment_of(account)
    joining = {"last_moment": last_moment, "may_join": now <= last_moment}
    return account_context(account, rows, None, now) | joining


@posts_only("my_partner")
def dismiss(request: HttpRequest, attempt_id: UUID) -> HttpResponse:
    """Show no more notices about an attempt that is refused."""
    mine = Attempt.objects.filter(account__owner=signed_in(request))
    dismiss_attempt(attempt=get_object_or_404(mine, pk=attempt_id), now=timezone.now())
    return see_other("my_partner")


def for_customers(view: Callable[[HttpRequest, Association], HttpResponse]) -> ViewFunction:
    """Pass the view the association in force of the signed-in user's account; 404 if it had none.

    After the end a GET leads to My partner, because links in old e-mails lead here; a POST is a 409
    with the same page, also when the association ends before the view has acted. A POST from a page
    about an earlier association is a 409 too: what it says was meant for another partner.
    """

    @wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        association = find_own_association(signed_in(request))
        if association is None:
            return _answer_after_the_end(request)
        if request.method == "POST" and not _is_shown(association, request):
            return _answer_other_partner(request, association)
        try:
            return view(request, association)
        except Refused as refused:
            if refused.code != AssociationRefusal.ENDED:
                raise
            return _answer_after_the_end(request)

    return answer


def _is_shown(association: Association, request: HttpRequest) -> bool:
    """Return whether the posted form was about this association, not about an earlier one."""
    shown = request.POST.get("association")
    if shown is None:
        # Of an account that never had another one, the page can have shown no other.
        past = past_associations(association.account.owner_id)
        return all(row.pk == association.pk for row in past)
    return shown == str(association.pk)


def _answer_other_partner(request: HttpRequest, association: Association) -> HttpResponse:
    """Say that the page was about an earlier partner, and give back what was typed."""
    context = {"partner": association.partner, "typed": typed_form(request)["typed"]}
    return render(request, "association/earlier_partner.html", context, status=409)


def _answer_after_the_end(request: HttpRequest) -> HttpResponse:
    past = past_associations(signed_in(request).pk)
    if not past:
        raise Http404
    if request.method != "POST":
        return redirect("my_partner")
    problem = str(SENTENCES[AssociationRefusal.ENDED])
    return _show_past(request, past, problem=problem, status=409)


def _show_past(
    request: HttpRequest, past: list[Association], *, problem: str = "", status: int = 200
) -> HttpResponse:
    """Show what is left of earlier associations to an account that has none in force."""
    account = past[0].account
    without = _without_partner(account, timezone.now())
    context = {
        "past": [past_line(association) for association in past],
        "latest": past[0],
        "partner": past[0].partner,
        # Of a frozen account the notice says why.
        "after": None if without["frozen"] else freezes_after(past[0]),
        **without,
        "freezes": _freezes(account),
        "consents": _consents(account),
        "unfinished": find_unfinished(account.owner, timezone.now()),
        "problem": problem,
    }
    return render(request, "association/past_partner.html", context, status=status)


def past_line(association: Association) -> dict[str, Any]:
    """Return an association that has ended, with the sentence about who ended it."""
    return {"association": association, "who": who_ended(association, reader=Side.CUSTOMER)}


def _freezes(account: CustomerAccount) -> QuerySet[Freeze]:
    """Return every freeze, newest first; each with `partner_name`, of its time's partner."""
    then = Association.objects.filter(
        account=OuterRef("account"), associated_at__lte=OuterRef("frozen_at")
    ).order_by("-associated_at", "-pk")
    freezes = account.freezes.annotate(partner_name=Subquery(then.values("partner__name")[:1]))
    return freezes.order_by("-frozen_at", "-pk")


def _consents(account: CustomerAccount) -> QuerySet[Consent]:
    consents = account.consents.select_related("document", "authorization__association")
    return consents.order_by("-agreed_at", "-pk")


@posts_only("my_partner")
@for_customers
def ask_partner(request: HttpRequest, association: Association) -> HttpResponse:
    """Ask the partner for what helps. A second request of a day changes nothing: no form key."""
    try:
        budget_request = budget_requests.ask_partner(
            association=association,
            shown=request.POST.get("ask"),
            by=signed_in(request),
            now=timezone.now(),
        )
    except Refused as refused:
        if refused.code == AssociationRefusal.ENDED:
            raise
        return show_my_partner(request, association, problem=sentence_for(refused), status=409)
    messages.success(
        request, ASKED[budget_request.asked_for] % {"partner": association.partner.name}
    )
    return see_other("my_partner")


def show_my_partner(
    request: HttpRequest, association: Association, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {**_context(association, timezone.now()), "problem": problem}
    return render(request, "association/my_partner.html", context, status=status)


@require_safe
def consent(request: HttpRequest, consent_id: int) -> HttpResponse:
    found = _own_consent(request, consent_id)
    context = {
        "consent": found,
        "document": found.document,
        "filename": _text_filename(found),
        "back_url": reverse("my_partner"),
    }
    return render(request, "association/consent.html", context)


@require_safe
def consent_text(request: HttpRequest, consent_id: int) -> HttpResponse:
    """Send the text that was agreed to, byte for byte as its SHA-256 was computed."""
    found = _own_consent(request, consent_id)
    response = HttpResponse(found.text, content_type="text/plain; charset=utf-8")
    return as_attachment(response, _text_filename(found))


def _own_consent(request: HttpRequest, consent_id: int) -> Consent:
    user = signed_in(request)
    consents = Consent.objects.select_related("document", "authorization__association")
    found: Consent = get_object_or_404(consents.filter(account__owner=user), pk=consent_id)
    return found


def _text_filename(consent: Consent) -> str:
    document = consent.document
    return f"{document.kind}-{document.version}-{document.language}.txt"


def _context(association: Association, now: datetime) -> dict[str, Any]:
    account = association.account
    freezes = list(_freezes(account))
    open_freezes = [freeze for freeze in freezes if freeze.is_open]
    budgets = list(association.budgets.order_by("-set_at", "-pk"))
    budget = next((row for row in budgets if row.replaced_at is None), None)
    spent = spent_of(budget, now) if budget is not None else None
    rows = advise(open_freezes, budget=budget, used=spent)
    authorizations = list(association.authorizations.order_by("-pk"))
    authorization = authorizations[0] if authorizations else None
    last_request = association.end_requests.order_by("-asked_at").first()
    end_request = last_request if last_request is not None and last_request.is_open else None
    return {
        "association": association,
        "account": account,
        "partner": association.partner,
        **account_context(account, rows, association, now),
        **_budget_context(budget, spent, now, is_frozen=bool(rows)),
        "is_frozen_for_budget": first_action(rows) == FrozenAction.RAISE_BUDGET,
        "freezes": freezes,
        "authorization": authorization,
        "actions": partner_actions(
            association, budgets=budgets, freezes=freezes, authorizations=authorizations
        ),
        "consents": _consents(account),
        "end_request": end_request,
        "last_request": last_request,
        "obstacles": [] if end_request else _obstacles(association, now),
        "past": [past_line(row) for row in past_associations(account.owner_id)],
        "tasks": _tasks(association, budget, rows, authorization),
        "console_url": settings.PROVIDER_CONSOLE_URL,
    }


def _obstacles(association: Association, now: datetime) -> list[dict[str, object]]:
    found = find_obstacles(account=association.account, now=now)
    return obstacle_lines(found, reader=Side.CUSTOMER, partner=association.partner)


def _budget_context(
    budget: Budget | None, spent: Decimal | None, now: datetime, *, is_frozen: bool
) -> dict[str, Any]:
    if budget is None or spent is None:
        return {"budget": None}
    return {
        "budget": budget,
        "spent": spent,
        # Refunds can take what is used below nothing, which no bar can show.
        "used": max(spent, Decimal(0)),
        "resets_at": resets_at(budget, now),
        # A frozen account buys nothing: the pace says nothing.
        "lasts_until": None if is_frozen else budget_lasts_until(budget, used=spent, now=now),
    }


def _tasks(
    association: Association,
    budget: Budget | None,
    rows: list[FreezeRow],
    authorization: Authorization | None,
) -> list[dict[str, Any]]:
    """Return the tasks until the account can be used; none when all of them are done.

    Budget and unfreezing are among them until the freeze that came with joining is lifted: what a
    later freeze needs stands with it.
    """
    tasks: list[dict[str, Any]] = [
        {"title": _("Account"), "state": "done"},
        {"title": _("Associated"), "state": "done"},
    ]
    if any(row.freeze.cause == FreezeCause.ASSOCIATION for row in rows):
        waiting = _("Waiting for %(name)s")
        partner = waiting % {"name": association.partner.name}
        waits_for_provider = first_action(rows) == FrozenAction.CONTACT_PROVIDER
        lifting = waiting % {"name": settings.PROVIDER_NAME} if waits_for_provider else partner
        tasks += [
            _task(_("Budget"), partner, is_done=budget is not None),
            _task(pgettext("state of an account", "Unfrozen"), lifting, is_done=not rows),
        ]
    if authorization is not None and authorization.state == AuthorizationState.REQUESTED:
        title = _("%(partner)s asks for your authorization")
        tasks.append(
            {
                "title": title % {"partner": association.partner.name},
                "state": "todo",
                "label": _("Waiting for you"),
                "href": reverse("my_authorization"),
            }
        )
    return tasks if any(task["state"] != "done" for task in tasks) else []


def _task(title: str, waiting: str, *, is_done: bool) -> dict[str, Any]:
    state = "done" if is_done else "waiting"
    return {"title": title, "state": state, "label": "" if is_done else waiting}

"""The letter of authorization under My partner, and the customer's answer to it."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from association.enums import AssociationRefusal, AuthorizationAnswer
from association.forms.authorizations import AuthorizationForm
from association.models import Association, LegalDocument
from association.refusals import sentence_for
from association.services.authorizations import (
    LETTER,
    decline_authorization,
    grant_authorization,
    revoke_authorization,
)
from association.services.documents import current_documents
from association.views.my_partner import for_customers
from association.views.own import signed_in
from web.answers import as_refusal
from web.form_keys import answer_once, earlier_answer
from web.origin import current_origin
from web.refused import Refused


@require_http_methods(["GET", "HEAD", "POST"])
@for_customers
def authorization(request: HttpRequest, association: Association) -> HttpResponse:
    if request.method != "POST":
        return show_letter(request, association)
    needs_reason = request.POST.get("action") == AuthorizationAnswer.REVOKE
    form = AuthorizationForm(request.POST, needs_reason=needs_reason)
    if not form.is_valid():
        earlier = earlier_answer(request)
        return earlier or show_letter(request, association, form=form, status=400)

    def write() -> str:
        sentence = _answer(request, association, form, timezone.now())
        messages.success(request, sentence % {"partner": association.partner.name})
        return reverse("my_partner")

    try:
        return answer_once(request, write)
    except Refused as refused:
        if refused.code == AssociationRefusal.ENDED:
            raise
        typed = form.cleaned_data["reason"]
        sentence = sentence_for(refused)
        page = show_letter(request, association, reason=typed, problem=sentence)
        return as_refusal(page, refused.again_at)


def _answer(
    request: HttpRequest, association: Association, form: AuthorizationForm, now: datetime
) -> str:
    """Grant, decline or revoke; return the sentence that confirms it."""
    user, action = signed_in(request), form.cleaned_data["action"]
    key = form.cleaned_data["authorization"]
    # 404 for another account's.
    shown = None if key is None else get_object_or_404(association.authorizations, pk=key)
    if action == AuthorizationAnswer.AGREE:
        language = get_language() or ""
        grant_authorization(
            association=association,
            shown_request=shown,
            shown_letter=form.cleaned_data["shown_letter"],
            label=str(AuthorizationAnswer.AGREE.label),
            language=language,
            address=current_origin().network_address,
            by=user,
            now=now,
        )
        return _("%(partner)s may now order and operate for you.")
    ended = shown or association.authorizations.order_by("-pk").first()
    if ended is None:
        raise Refused(AssociationRefusal.NOT_REQUESTED, association=association)
    reason = form.cleaned_data["reason"]
    if action == AuthorizationAnswer.DECLINE:
        decline_authorization(authorization=ended, reason=reason, by=user, now=now)
        return _("You have declined. %(partner)s has been told.")
    revoke_authorization(authorization=ended, reason=reason, by=user, now=now)
    return _("From now on %(partner)s may not order or operate for you.")


def _letter(language: str) -> LegalDocument:
    return current_documents([LETTER], language)[LETTER]


def show_letter(
    request: HttpRequest,
    association: Association,
    *,
    form: AuthorizationForm | None = None,
    reason: str = "",
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show the letter that was agreed to, else the one in force, with what can be answered now."""
    rows = association.authorizations.select_related("consent__document").order_by("-pk")
    history = list(rows)
    open_one = next((row for row in history if row.is_open), None)
    agreed = open_one.consent if open_one is not None else None
    form = form or AuthorizationForm(needs_reason=agreed is not None, reason=reason)
    context = {
        "association": association,
        "partner": association.partner,
        "open_one": open_one,
        "agreed": agreed,
        "document": agreed.document if agreed is not None else _letter(get_language() or ""),
        "history": history,
        "is_frozen": agreed is not None and association.account.freezes.open().exists(),
        "form": form,
        # Where nothing can be declined or revoked any more, no field shows what was typed.
        "typed": "" if open_one is not None else form["reason"].value() or "",
        "problem": problem,
        "back_url": reverse("my_partner"),
    }
    return render(request, "association/authorization.html", context, status=status)

"""What a POST of the console is answered: done (303), invalid (400), or refused (409, or 429)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext

from accounts.enums import UserKind
from accounts.models import acts_for_provider
from audit.services import last_changes
from partners.models import PartnerMember
from partners.refusals import sentence_for
from partners.views.gate import show
from web.answers import as_refusal
from web.form_keys import answer_once, earlier_answer
from web.refused import Refused
from web.shown_versions import ChangedMeanwhile
from web.versioned_forms import VersionedForm


def answer_form(
    request: HttpRequest,
    member: PartnerMember,
    form: forms.Form,
    act: Callable[[], str],
    template: str,
    context: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    *,
    section: str,
    why_not: str = "",
    field_of: Callable[[Enum], str | None] = lambda code: None,
    sentence_for: Callable[[Refused], str] = sentence_for,
) -> HttpResponse:
    """Show the form, or act once on a valid POST and redirect to the URL that `act` returns.

    A repeated POST gets its first answer, even if the form is invalid by now. `why_not` is the
    reason for which the form is not offered. The reason of a refusal is shown at the field that
    `field_of` returns for its code. `context` is called only when the page is shown.
    """

    def page() -> HttpResponse:
        values = context() if callable(context) else context
        values = {"form": form, "why_not": why_not, **values}
        status = status_of(form, why_not)
        return show(request, member, template, values, section=section, status=status)

    if why_not:
        return earlier_answer(request) or page()
    try:
        return answer_or_conflict(request, form, act, page)
    except Refused as refused:
        form.add_error(field_of(refused.code), sentence_for(refused))
        return as_refusal(page(), refused.again_at)


def answer_or_conflict(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[], str],
    page: Callable[[], HttpResponse],
    *,
    page_again: Callable[[], HttpResponse] | None = None,
    report: Callable[[VersionedForm, ChangedMeanwhile], None] | None = None,
) -> HttpResponse:
    """Show the page of the form, or act once on a valid POST; other refusals are raised.

    Where something has changed meanwhile, `report` says in the form what, and the answer is 409
    with `page_again()`, the page as it is now.
    """
    if not form.is_valid():
        # A valid form's earlier answer is found by `answer_once()`, without another statement.
        return earlier_answer(request) or page()
    try:
        return answer_once(request, act)
    except ChangedMeanwhile as changed:
        if not isinstance(form, VersionedForm):
            raise TypeError("Only a VersionedForm has a version that can conflict.") from changed
        (report or report_conflict)(form, changed)
        return as_refusal((page_again or page)(), changed.again_at)


def report_conflict(form: VersionedForm, refused: ChangedMeanwhile) -> None:
    """Show in the form what its fields are now, and who changed them, by the audit trail."""
    form.show(refused.values)
    changes = last_changes(about=refused.context["about"], names=refused.names, who=actor_name)
    form.report_conflict(refused.names, changes)


def actor_name(actor: Any, *, by_provider: bool | None = None) -> str:
    """Return who acted: members by their address, keys by name, the provider's staff without one.

    `by_provider` is what the action's row says; without one counts what the actor is today.
    """
    if actor is None:
        return gettext("The system")
    if acts_for_provider(actor) if by_provider is None else by_provider:
        return str(settings.PROVIDER_NAME)
    return str(actor.account_name if actor.kind == UserKind.API_KEY else actor.email)


def answer_action(
    request: HttpRequest,
    member: PartnerMember,
    act: Callable[[], str],
    *,
    section: str,
    back_url: str,
    sentence_for: Callable[[Refused], str] = sentence_for,
) -> HttpResponse:
    """Act once and redirect to the URL that `act` returns, or show a page that says why not."""
    try:
        return answer_once(request, act)
    except Refused as refused:
        return refusal_page(
            request,
            member,
            sentence_for(refused),
            section=section,
            back_url=back_url,
            again_at=refused.again_at,
        )


def status_of(form: forms.Form, why_not: str = "") -> int:
    if not form.is_bound:
        return 200
    if why_not:
        return 409
    return 200 if form.is_valid() else 400


def refusal_page(
    request: HttpRequest,
    member: PartnerMember,
    sentence: str,
    *,
    section: str,
    back_url: str,
    again_at: datetime | None = None,
    **context: Any,
) -> HttpResponse:
    """Show why something is not possible, and the way back; a GET of it is 200.

    `context` may have the `name` of a customer and `budget_url` for `partners/refused.html`.
    """
    context = {"sentence": sentence, "back_url": back_url, **context}
    page = show(request, member, "partners/refused.html", context, section=section)
    return as_refusal(page, again_at) if request.method == "POST" else page

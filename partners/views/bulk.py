"""The console's page of an action on many rows: confirmed, then in progress, then its outcomes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from partners.enums import BatchState, BulkKind
from partners.forms.bulk import BulkForm
from partners.models import BulkAction, BulkActionRow, InvitationBatch, PartnerMember
from partners.refusals import sentence_for
from partners.services.bulk_actions import (
    MOST_ROWS,
    Performers,
    cancel_bulk_action,
    choose_rows,
    do_few,
    start_bulk_action,
)
from partners.views.downloads import csv_of
from partners.views.refusing import answer_form
from web.answers import as_refusal, see_other
from web.form_keys import answer_once
from web.random_ids import key_or_404
from web.refused import Refused, forget_refusal

TEMPLATE = "partners/bulk_action.html"
SHOWN = 100
ROWS_READ_AT_ONCE = 500
# The button of the list for the rows that match, also those of other pages.
ALL = "all"


@dataclass(frozen=True, slots=True)
class Name:
    """What a row is called, and the page that it has."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class BulkSubject:
    """What actions on invitations do not share with those on customers."""

    section: str
    list_page: str
    action_page: str
    performers: Performers
    # By kind: the title with `%(number)s`, and the template with what will happen.
    titles: Mapping[BulkKind, Any]
    effects: str
    # The rows to which a kind can be done now, as far as lists know.
    possible: Callable[[PartnerMember, BulkKind], QuerySet[Any]]
    # Why it cannot be done to the others, in a sentence, by their keys.
    obstacles_of: Callable[[PartnerMember, BulkKind, Collection[int]], Mapping[int, str]]
    # The names of rows by their keys, and the sentence for the code of a refusal.
    names_of: Callable[[PartnerMember, Collection[int]], Mapping[int, Name]]
    sentence_of: Callable[[str], str]
    # What was confirmed beside the reason, in a sentence; "" where that is all.
    terms_of: Callable[[PartnerMember, BulkAction], str] = lambda member, action: ""
    # What the page of a draft says of each row that it shows, by key.
    facts_of: Callable[[PartnerMember, BulkKind, Collection[int]], Mapping[int, str]] = (
        lambda member, kind, keys: {}
    )


def sent_kind(request: HttpRequest, subject: BulkSubject) -> BulkKind:
    """Return the kind that the button names; 404 for one that the subject does not have."""
    sent = request.POST.get("action")
    kind = next((kind for kind in subject.performers if kind == sent), None)
    if kind is None:
        raise Http404
    return kind


def ticked_keys(request: HttpRequest, rows: Any) -> list[int]:
    """Return the ticked rows of these; 404 if one of them is not among them."""
    keys = [key_or_404(text) for text in dict.fromkeys(request.POST.getlist("row"))]
    if len(keys) > MOST_ROWS or rows.filter(pk__in=keys).count() != len(keys):
        raise Http404
    return keys


def choose(
    request: HttpRequest,
    member: PartnerMember,
    subject: BulkSubject,
    kind: BulkKind,
    keys_of: Callable[[], Sequence[int]],
    *,
    page: Callable[[str], HttpResponse],
    batch: InvitationBatch | None = None,
    most: int = MOST_ROWS,
) -> HttpResponse:
    """Store the rows as a draft, and lead to the page that confirms it.

    Where nothing can be chosen, also because `keys_of` raises Refused, `page` is shown again with
    the sentence.
    """

    def draft() -> str:
        keys, now = keys_of(), timezone.now()
        action = choose_rows(member=member, kind=kind, keys=keys, batch=batch, most=most, now=now)
        return reverse(subject.action_page, args=[action.pk])

    try:
        return answer_once(request, draft)
    except Refused as refused:
        return as_refusal(page(sentence_for(refused)), refused.again_at)


def bulk_action_of(member: PartnerMember, subject: BulkSubject, key: int) -> BulkAction:
    """Return the member's own action on such rows; for others the page does not exist."""
    own = member.partner.bulk_actions.visible_to(member).filter(kind__in=list(subject.performers))
    return get_object_or_404(own.select_related("batch"), pk=key)


def answer_bulk_action(
    request: HttpRequest,
    member: PartnerMember,
    subject: BulkSubject,
    action: BulkAction,
    form: BulkForm,
) -> HttpResponse:
    """Show the page in each state; a POST starts the draft, or cancels with `action=cancel`."""
    page_url = reverse(subject.action_page, args=[action.pk])
    if request.method == "POST" and request.POST.get("action") == "cancel":
        return _cancel(request, member, action, page_url)

    def start() -> str:
        start_bulk_action(
            action=action,
            terms=form.terms(),
            reason=form.cleaned_data.get("reason", ""),
            by=member.user,
            now=timezone.now(),
        )
        return page_url

    answer = answer_form(
        request,
        member,
        form,
        start,
        TEMPLATE,
        lambda: _context(member, subject, action),
        section=subject.section,
    )
    if answer.status_code == 303:
        do_few(action=action, performers=subject.performers)
        # What a row was refused is its outcome; the request is answered as done.
        forget_refusal()
    return answer


def outcomes_csv(
    member: PartnerMember, subject: BulkSubject, action: BulkAction
) -> HttpResponseBase:
    header = [_("Number"), _("Name"), _("Outcome")]
    # Further outcomes appear while the lines are sent, if the action still runs.
    word = cache(partial(_word, subject))

    def lines() -> Any:
        rows = action.rows.order_by("number")
        for first in range(0, action.size, ROWS_READ_AT_ONCE):
            some = list(rows.filter(number__gt=first, number__lte=first + ROWS_READ_AT_ONCE))
            names = subject.names_of(member, [row.object_id for row in some])
            for row in some:
                name = names.get(row.object_id)
                yield [row.number, name.text if name else "", word(row.outcome)]

    return csv_of(member, f"outcomes-{action.pk}", header, lines())


def _cancel(
    request: HttpRequest, member: PartnerMember, action: BulkAction, page_url: str
) -> HttpResponse:
    cancelled = cancel_bulk_action(action=action, by=member.user, now=timezone.now())
    if cancelled.state == BatchState.FINISHED:
        messages.info(request, _("All was done before it could be cancelled."))
    return see_other(page_url)


def _context(member: PartnerMember, subject: BulkSubject, action: BulkAction) -> dict[str, Any]:
    rows = action.rows.order_by("number")
    is_draft = action.state == BatchState.DRAFT
    if is_draft:
        # Those that will be left alone are listed apart.
        possible = subject.possible(member, BulkKind(action.kind))
        rows = rows.filter(object_id__in=possible.values("pk"))
    else:
        rows = rows.exclude(outcome__in=["", BulkActionRow.DONE])
    shown = list(rows[:SHOWN])
    keys = [row.object_id for row in shown]
    names = subject.names_of(member, keys)
    facts = subject.facts_of(member, BulkKind(action.kind), keys) if is_draft else {}
    list_url = reverse(subject.list_page)
    batch_url = reverse("console_batch", args=[action.batch_id]) if action.batch_id else ""
    impossible = _impossible(member, subject, action)
    possible_count = action.size - impossible.get("impossible_count", 0)
    return {
        "action": action,
        **impossible,
        "possible_count": possible_count,
        # Where nothing can be done, the title names what was chosen.
        "title": subject.titles[BulkKind(action.kind)] % {"number": possible_count or action.size},
        "effects": subject.effects,
        "terms": "" if is_draft or action.started_at is None else subject.terms_of(member, action),
        "rows": [
            (
                names.get(row.object_id),
                row,
                facts.get(row.object_id, "") if is_draft else _word(subject, row.outcome),
            )
            for row in shown
        ],
        "has_facts": bool(facts),
        "left_out": (possible_count if is_draft else action.refused_count) - len(shown),
        "rows_are_removed": _are_rows_removed(action),
        "csv_url": reverse(f"{subject.action_page}_csv", args=[action.pk]),
        "back_url": batch_url or list_url,
    }


def _are_rows_removed(action: BulkAction) -> bool:
    """Return whether the rows of the ended action were deleted, by age or for a newer draft."""
    has_ended = action.state in {BatchState.FINISHED, BatchState.CANCELLED}
    return has_ended and not action.rows.exists()


def _impossible(member: PartnerMember, subject: BulkSubject, action: BulkAction) -> dict[str, Any]:
    """Return how many rows of a draft would be left alone now, and the first of them with the why.

    They can be more in the end: each row is looked at again when it is done.
    """
    if action.state != BatchState.DRAFT:
        return {}
    kind = BulkKind(action.kind)
    possible = subject.possible(member, kind)
    count = action.size - possible.filter(pk__in=action.rows.values("object_id")).count()
    if not count:
        return {}
    rows = action.rows.exclude(object_id__in=possible.values("pk")).order_by("number")[:SHOWN]
    keys = [row.object_id for row in rows]
    names, why = subject.names_of(member, keys), subject.obstacles_of(member, kind, keys)
    return {
        "impossible_count": count,
        "impossible": [(names.get(row.object_id), row, why.get(row.object_id, "")) for row in rows],
        "more_impossible": count - len(keys),
    }


def _word(subject: BulkSubject, outcome: str) -> str:
    if outcome == BulkActionRow.DONE:
        return _("Done")
    return subject.sentence_of(outcome) if outcome else _("Not done")

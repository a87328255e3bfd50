"""The console's actions on many invitations: chosen on the list or of a batch, and confirmed."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from partners.enums import BulkKind, BulkRefusal, Channel, InvitationProblem, RowProblem
from partners.forms.bulk import (
    BulkForm,
    ExtendManyForm,
    NumberRangeForm,
    ResendManyForm,
    RevokeManyForm,
)
from partners.forms.filters import InvitationListForm
from partners.models import BulkAction, Invitation, PartnerMember
from partners.models.invitations import InvitationQuerySet
from partners.refusals import SENTENCES, sentence_for
from partners.services.batches import MOST_LINKS
from partners.services.bulk_actions import MOST_ROWS, check_chosen
from partners.services.bulk_invitations import PERFORMERS
from partners.services.invitation_search import find_invitations
from partners.services.known_people import customers_among, without_customers
from partners.views.batches import show_batch
from partners.views.bulk import (
    ALL,
    BulkSubject,
    Name,
    answer_bulk_action,
    bulk_action_of,
    choose,
    outcomes_csv,
    sent_kind,
    ticked_keys,
)
from partners.views.gate import for_members
from partners.views.invitations import show_invitations
from partners.views.lists import all_filters_of
from partners.views.outcomes import outcomes_download
from partners.views.shared import SECTION, batch_of, invitations_of
from web.answers import as_refusal, posted, posts_only
from web.moments import moment_text
from web.refused import Refused
from web.security_log import log_security_event

DOWNLOAD = "download"


def names_of(member: PartnerMember, keys: Collection[int]) -> Mapping[int, Name]:
    rows = invitations_of(member).filter(pk__in=keys).values_list("pk", "label")
    return {
        key: Name(member.readable(label), reverse("console_invitation", args=[key]))
        for key, label in rows
    }


def possible(member: PartnerMember, kind: BulkKind) -> InvitationQuerySet:
    rows = invitations_of(member).unfinished()
    if kind == BulkKind.EXTEND:
        return rows.filter(expires_at__isnull=False)
    if kind == BulkKind.RESEND:
        return without_customers(rows.filter(channel=Channel.EMAIL), partner=member.partner)
    return rows


def obstacles_of(member: PartnerMember, kind: BulkKind, keys: Collection[int]) -> Mapping[int, str]:
    rows = list(invitations_of(member).filter(pk__in=keys))
    found = {row.pk: _obstacle(row, kind) for row in rows}
    if kind == BulkKind.RESEND:
        customers = customers_among([row.recipient for row in rows], partner=member.partner)
        for row in rows:
            if found[row.pk] is None and row.recipient in customers:
                found[row.pk] = RowProblem.ALREADY_CUSTOMER
    return {key: str(SENTENCES[code]) for key, code in found.items() if code is not None}


def terms_of(member: PartnerMember, action: BulkAction) -> str:
    if action.kind != BulkKind.EXTEND:
        return ""
    expires_at = datetime.fromisoformat(action.terms["expires_at"])
    return _("New expiry: %(moment)s.") % {"moment": moment_text(expires_at)}


def _obstacle(invitation: Invitation, kind: BulkKind) -> StrEnum | None:
    """Return why the invitation would be left alone, as `possible()` does."""
    if invitation.revoked_at is not None:
        return InvitationProblem.REVOKED
    if invitation.remaining_uses == 0:
        return InvitationProblem.USED_UP
    if kind == BulkKind.EXTEND and invitation.expires_at is None:
        return BulkRefusal.LIVES_LONGER
    is_by_email = invitation.channel == Channel.EMAIL
    return InvitationProblem.NOT_BY_EMAIL if kind == BulkKind.RESEND and not is_by_email else None


SUBJECT = BulkSubject(
    section=SECTION,
    list_page="console_invitations",
    action_page="console_bulk_invitations",
    performers=PERFORMERS,
    titles={
        BulkKind.REVOKE: ngettext_lazy(
            "Revoke %(number)s invitation", "Revoke %(number)s invitations", "number"
        ),
        BulkKind.RESEND: ngettext_lazy(
            "Send %(number)s invitation again", "Send %(number)s invitations again", "number"
        ),
        BulkKind.EXTEND: ngettext_lazy(
            "Extend %(number)s invitation", "Extend %(number)s invitations", "number"
        ),
    },
    effects="partners/_bulk_effects.html",
    possible=possible,
    obstacles_of=obstacles_of,
    terms_of=terms_of,
    names_of=names_of,
    sentence_of=lambda code: str(SENTENCES[code]),
)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
@posts_only("console_invitations")
def choose_invitations(request: HttpRequest, member: PartnerMember) -> HttpResponseBase:
    """Choose the ticked invitations, or with `all` those that match the filters in the address."""

    def keys_of() -> list[int]:
        return _chosen_keys(request, member)

    page = partial(show_invitations, request, member)
    if request.POST.get("action") == DOWNLOAD:
        return _download(member, keys_of, page)
    return choose(request, member, SUBJECT, sent_kind(request, SUBJECT), keys_of, page=page)


def _chosen_keys(request: HttpRequest, member: PartnerMember) -> list[int]:
    """Raises Refused if all that match are chosen, and a filter is no longer possible."""
    if not request.POST.get(ALL):
        return ticked_keys(request, invitations_of(member))
    form = InvitationListForm(request.GET, member=member)
    found = find_invitations(member, all_filters_of(form), now=timezone.now())
    ordered = found.order_by("-created_at", "-pk").values_list("pk", flat=True)
    return list(ordered[: MOST_ROWS + 1])


def _download(
    member: PartnerMember, keys_of: Callable[[], list[int]], page: Callable[[str], HttpResponse]
) -> HttpResponseBase:
    try:
        keys = keys_of()
        check_chosen(keys)
    except Refused as refused:
        return as_refusal(page(sentence_for(refused)), refused.again_at)
    log_security_event("invitations.exported", member=member.pk, count=len(keys))
    return outcomes_download(member, invitations_of(member).filter(pk__in=keys), name="invitations")


@for_members
@posts_only("console_batch", "batch_id")
def choose_of_batch(request: HttpRequest, member: PartnerMember, batch_id: int) -> HttpResponse:
    """Choose what is neither used up nor revoked of the batch, or of some numbers in it."""
    batch = batch_of(member, batch_id)
    kind = sent_kind(request, SUBJECT)
    form = NumberRangeForm(request.POST, batch=batch)
    if not form.is_valid():
        return show_batch(request, member, batch, form)
    as_made = ("created_at", "pk")
    rows = possible(member, kind).filter(batch=batch).order_by(*as_made)
    positions = form.positions()
    if positions is not None:
        # Labels can have been edited since; the order of the links is that of their numbers.
        rows = rows.filter(pk__in=batch.invitations.order_by(*as_made).values("pk")[positions])

    def page(sentence: str) -> HttpResponse:
        form.add_error(None, sentence)
        return show_batch(request, member, batch, form)

    return choose(
        request,
        member,
        SUBJECT,
        kind,
        lambda: list(rows.values_list("pk", flat=True)),
        page=page,
        batch=batch,
        most=MOST_LINKS,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def bulk_invitations(
    request: HttpRequest, member: PartnerMember, bulk_action_id: int
) -> HttpResponse:
    action = bulk_action_of(member, SUBJECT, bulk_action_id)
    return answer_bulk_action(request, member, SUBJECT, action, _form(request, member, action))


@require_safe
@for_members
def bulk_invitations_csv(
    request: HttpRequest, member: PartnerMember, bulk_action_id: int
) -> HttpResponseBase:
    return outcomes_csv(member, SUBJECT, bulk_action_of(member, SUBJECT, bulk_action_id))


def _form(request: HttpRequest, member: PartnerMember, action: BulkAction) -> BulkForm:
    if action.kind == BulkKind.EXTEND:
        return ExtendManyForm(posted(request), partner=member.partner, now=timezone.now())
    form = RevokeManyForm if action.kind == BulkKind.REVOKE else ResendManyForm
    return form(posted(request))

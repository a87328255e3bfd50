"""What belongs to a partner, an invitation or a batch, beneath its form in the admin."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from audit.admin import account_name
from audit.models import AuditEvent
from outbox.admin.hubs import messages_about, messages_for
from partners.admin.bulk_actions import outcome_of
from partners.models import (
    BulkAction,
    Invitation,
    InvitationBatch,
    InvitationRequest,
    MemberInvitation,
    Partner,
    PartnerMember,
)
from partners.services.members import with_administrator_invited, without_administrator
from web.admin.hubs import Line, Section, adds_sections, first_rows, list_url, shown_address
from web.moments import moment_text


def until(moment: datetime | None) -> str:
    """Say until when something lasts; "" for no end."""
    return gettext("until %(moment)s") % {"moment": moment_text(moment)} if moment else ""


@adds_sections(Partner)
def partner_sections(request: HttpRequest, partner: Partner) -> Iterable[Section | None]:
    now, of = timezone.now(), {"partner": partner.pk}
    yield _health(request, partner, now)
    yield first_rows(
        request,
        rows=partner.members.select_related("user").order_by("role", "-created_at", "-pk"),
        line=lambda row: (
            row.user,
            shown_address(request, row.user.email),
            row.get_role_display(),
            "" if row.user.is_active else _("off"),
        ),
        filters=of,
    )
    yield first_rows(
        request,
        rows=partner.member_invitations.open().order_by("-invited_at", "-pk"),
        line=lambda row: (shown_address(request, row.address), row.get_role_display()),
        filters={**of, "state": "open"},
        shows_empty=False,
    )
    yield first_rows(
        request,
        rows=partner.invitations.live(now).order_by("-created_at", "-pk"),
        line=_invitation_line,
        title=_("Live invitations"),
        filters={**of, "state": "live"},
    )
    yield first_rows(
        request,
        rows=partner.invitation_requests.open().order_by("-requested_at", "-pk"),
        line=lambda row: (shown_address(request, row.address), moment_text(row.requested_at)),
        title=_("Open invitation requests"),
        filters={**of, "state": "open"},
    )
    yield first_rows(
        request,
        rows=AuditEvent.objects.filter(acted_for=partner.pk)
        .select_related("actor")
        .order_by("-occurred_at", "-pk"),
        line=lambda event: (
            event.action,
            account_name(event.actor),
            moment_text(event.occurred_at),
        ),
        title=_("What its members did"),
        filters={"acted_for": partner.pk},
        shows_empty=False,
    )
    yield messages_for(request, partner)


def _health(request: HttpRequest, partner: Partner, now: datetime) -> Section:
    lines: list[Line] = []
    text: Any
    if partner.is_frozen:
        lines.append(Line(_("It is frozen: none of its invitations can be followed.")))
    missing = without_administrator(Partner.objects.filter(pk=partner.pk))
    found = with_administrator_invited(missing, now).first()
    if found is not None and found.is_administrator_invited:
        text = _("It has no administrator yet: one was invited, and has not accepted.")
        url = list_url(MemberInvitation, {"partner": partner.pk, "state": "open"})
        lines.append(Line(text, url))
    elif found is not None:
        text = _("It has no administrator who can log in. A button above invites one.")
        lines.append(Line(text, list_url(PartnerMember, {"partner": partner.pk})))
    undelivered = partner.invitations.undelivered(now).count()
    if undelivered:
        text = ngettext(
            "%(count)d invitation was not delivered, and is not sent again by itself.",
            "%(count)d invitations were not delivered, and are not sent again by themselves.",
            undelivered,
        )
        url = list_url(Invitation, {"partner": partner.pk, "state": "undelivered"})
        lines.append(Line(text % {"count": undelivered}, url))
    return Section(title=_("Health"), lines=lines, empty=_("Nothing is wrong."))


def _invitation_line(row: Any) -> tuple[Any, ...]:
    uses = f"{row.used_count}/{row.max_uses or '∞'}"
    channel, kind = row.get_channel_display(), row.get_association_type_display()
    return row, channel, kind, uses, until(row.expires_at)


@adds_sections(Invitation)
def invitation_sections(request: HttpRequest, invitation: Invitation) -> Iterable[Section | None]:
    yield messages_about(request, invitation)
    yield first_rows(
        request,
        rows=invitation.invitation_requests.order_by("-requested_at", "-pk"),
        line=lambda row: (shown_address(request, row.address), moment_text(row.requested_at)),
        filters={"invitation": invitation.pk},
        shows_empty=False,
    )


@adds_sections(InvitationBatch)
def batch_sections(request: HttpRequest, batch: InvitationBatch) -> Iterable[Section | None]:
    of = {"batch": batch.pk}
    rows = batch.invitations.order_by("-created_at", "-pk")
    yield first_rows(request, rows=rows, line=_invitation_line, filters=of)
    yield first_rows(
        request,
        rows=batch.rows.order_by("number"),
        line=lambda row: (row.number, shown_address(request, row.email), row.problem),
        filters=of,
        shows_empty=False,
    )


@adds_sections(BulkAction)
def bulk_action_sections(request: HttpRequest, action: BulkAction) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=action.rows.order_by("number"),
        line=lambda row: (row.number, row.object_id, outcome_of(row)),
        filters={"action": action.pk},
    )


@adds_sections(MemberInvitation)
@adds_sections(InvitationRequest)
def about_sections(request: HttpRequest, obj: Any) -> Iterable[Section | None]:
    yield messages_about(request, obj)


@adds_sections(get_user_model())
def user_sections(request: HttpRequest, user: Any) -> Iterable[Section | None]:
    yield first_rows(
        request,
        rows=PartnerMember.objects.filter(user=user).select_related("partner"),
        line=lambda row: (row.partner, row.get_role_display()),
        title=_("Acts for"),
        filters={"user": user.pk},
        shows_empty=False,
    )

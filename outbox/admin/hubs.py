"""Sections of hub pages with e-mails: about an object, or to an address."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from outbox.models import OutboxMessage
from web.admin.hubs import Section, first_rows, shown_address
from web.admin.masking import may_see_addresses
from web.moments import moment_text


def messages_about(request: HttpRequest, obj: Model) -> Section | None:
    """Return the e-mails about the object, newest first; None if there are none."""
    label = obj._meta.label_lower
    rows = OutboxMessage.objects.filter(about_label=label, about_id=str(obj.pk))
    filters = {"about_label": label, "about_id": obj.pk}
    return _messages(request, rows, _("E-mails about it"), filters)


def messages_to(
    request: HttpRequest, address: str, *, title: Any = _("E-mails to the address")
) -> Section | None:
    """Return the e-mails to the address, for those who may see it: the link contains it."""
    if not may_see_addresses(request):
        return None
    rows = OutboxMessage.objects.filter(recipient=address)
    return _messages(request, rows, title, {"recipient": address})


def messages_for(request: HttpRequest, partner: Model) -> Section | None:
    """Return the e-mails to the partner's members and customers, newest first."""
    rows, filters = OutboxMessage.objects.filter(partner_id=partner.pk), {"partner_id": partner.pk}
    return _messages(request, rows, _("E-mails to its members and customers"), filters)


def outcome(message: OutboxMessage) -> Any:
    """Say what became of the message."""
    if message.sent_at is not None:
        return gettext("sent %(moment)s") % {"moment": moment_text(message.sent_at)}
    if message.dropped_at is not None:
        return gettext("dropped: %(reason)s") % {"reason": message.drop_reason}
    return _("dead") if message.dead_at is not None else _("waiting")


def _messages(
    request: HttpRequest, rows: QuerySet[OutboxMessage], title: Any, filters: dict[str, Any]
) -> Section | None:
    return first_rows(
        request,
        rows=rows.order_by("-created_at", "-pk"),
        line=lambda row: (row, shown_address(request, row.recipient), outcome(row)),
        title=title,
        shows_empty=False,
        filters=filters,
    )

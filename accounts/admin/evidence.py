"""Audit events, verification codes and outbox messages in the admin: to be read only."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin.base import EvidenceAdmin
from accounts.admin.confirmation import confirmed_action
from accounts.admin.filters import StateFilter
from accounts.models import AuditEvent, OutboxMessage, User, VerificationCode
from accounts.refusals import SENTENCES
from accounts.services.administration import revive_message
from web.refused import Refused


@admin.register(AuditEvent)
class AuditEventAdmin(EvidenceAdmin):
    """Who did what to which object, before and after."""

    list_display = ("occurred_at", "actor", "action", "object_label", "object_id", "address")
    list_select_related = ("actor",)
    search_fields = (
        "action__startswith",
        "object_id__exact",
        "request_id__exact",
        "actor__account_name__startswith",
    )
    search_help_text = _(
        "Beginning of the action or of the actor's account name, object id, or request id"
    )
    lower_case_search = True
    date_hierarchy = "occurred_at"
    addresses = ("before", "after")
    fields = (
        "occurred_at",
        "actor",
        "action",
        "object_label",
        "object_id",
        "before",
        "after",
        "address",
        "request_id",
    )


class CodeStateFilter(StateFilter):
    """Whether the code was used."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """Used, out of tries, or neither."""
        return {
            "spent": (_("used"), Q(spent_at__isnull=False)),
            "locked": (_("too many tries"), Q(spent_at__isnull=True, tries__gte=5)),
            "open": (_("not used"), Q(spent_at__isnull=True, tries__lt=5)),
        }


@admin.register(VerificationCode)
class VerificationCodeAdmin(EvidenceAdmin):
    """That codes were sent and how it went; never what derives them."""

    list_display = ("sent_at", "email", "purpose", "tries", "expires_at", "spent_at")
    list_filter = (CodeStateFilter, "purpose")
    search_fields = ("email__exact",)
    search_help_text = _("A whole e-mail address")
    lower_case_search = True
    date_hierarchy = "sent_at"
    addresses = ("email",)
    fields = ("email", "purpose", "sent_at", "expires_at", "tries", "spent_at", "spent_by")


class MessageStateFilter(StateFilter):
    """What became of the message."""

    def states(self) -> dict[str, tuple[Any, Q]]:
        """Waiting, sent, dropped or dead."""
        ended = {"sent_at__isnull": True, "dropped_at__isnull": True, "dead_at__isnull": True}
        return {
            "waiting": (_("waiting"), Q(**ended)),
            "sent": (_("sent"), Q(sent_at__isnull=False)),
            "dropped": (_("dropped"), Q(dropped_at__isnull=False)),
            "dead": (_("dead"), Q(dead_at__isnull=False)),
        }


@admin.register(OutboxMessage)
class OutboxMessageAdmin(EvidenceAdmin):
    """Messages that were promised; a dead one may be given to the worker again."""

    list_display = ("created_at", "kind", "recipient", "tries", "sent_at", "dropped_at", "dead_at")
    list_filter = (MessageStateFilter, "language")
    search_fields = ("recipient__exact", "kind__startswith", "message_id__exact", "about_id__exact")
    search_help_text = _(
        "A whole e-mail address, beginning of the kind, Message-ID, or the object's id"
    )
    lower_case_search = True
    date_hierarchy = "created_at"
    addresses = ("recipient", "last_error")
    fields = (
        "kind",
        "recipient",
        "language",
        "about_label",
        "about_id",
        "message_id",
        "created_at",
        "deadline_at",
        "next_try_at",
        "tries",
        "last_error",
        "sent_at",
        "dropped_at",
        "drop_reason",
        "dead_at",
    )
    actions = ("send_again",)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Whoever has Django's permission to change messages; the rows themselves stay closed."""
        return request.user.has_perm("accounts.change_outboxmessage")

    @confirmed_action(
        title=_("Send dead messages again"),
        consequences=(
            _("The worker tries each message again, under the same Message-ID."),
            _("A message that is not dead is left as it is."),
        ),
        button=_("Send again"),
        refused_by=(Refused,),
        refusals=SENTENCES,
        permissions=["send_again"],
    )
    def send_again(self, message: OutboxMessage, *, by: User, now: datetime) -> None:
        """Let the worker try the dead message again."""
        revive_message(message=message, by=by, now=now)

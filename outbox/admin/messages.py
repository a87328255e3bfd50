"""Outbox messages in the admin, read-only; a dead message can be sent again."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from outbox.admin import samples
from outbox.enums import OutboxRefusal
from outbox.models import OutboxMessage
from outbox.services.queue import revive_message
from web.admin.base import StateFilter
from web.admin.confirmation import ConfirmedAction
from web.admin.hubs import given


class MessageStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        waiting = {"sent_at__isnull": True, "dropped_at__isnull": True, "dead_at__isnull": True}
        return {
            "waiting": (_("waiting"), Q(**waiting)),
            "sent": (_("sent"), Q(sent_at__isnull=False)),
            "dropped": (_("dropped"), Q(dropped_at__isnull=False)),
            "dead": (_("dead"), Q(dead_at__isnull=False)),
        }


@admin.register(OutboxMessage)
class OutboxMessageAdmin(EvidenceAdmin):
    list_display = ("created_at", "kind", "recipient", "tries", "sent_at", "dropped_at", "dead_at")
    list_filter = (MessageStateFilter, "language", *given("recipient", "about_label", "about_id"))
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

    def get_urls(self) -> list[URLPattern]:
        return [*samples.urls(self.admin_site), *super().get_urls()]

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Require the change permission, although the rows themselves are read-only."""
        return request.user.has_perm("outbox.change_outboxmessage")

    @ConfirmedAction(
        title=_("Send dead messages again"),
        consequences=(
            _("The worker tries each message again, with the same Message-ID."),
            _("Messages that are not dead do not change."),
        ),
        button=_("Send again"),
        refusals={
            OutboxRefusal.NOT_DEAD: _("This message is not dead."),
            OutboxRefusal.RECIPIENT_FORGOTTEN: _(
                "This message is so old that its recipient is no longer stored."
            ),
        },
        permissions=["send_again"],
        works_for=lambda message: message.dead_at is not None,
    )
    def send_again(self, message: OutboxMessage, *, by: AbstractBaseUser, now: datetime) -> None:
        revive_message(message=message, by=by, now=now)

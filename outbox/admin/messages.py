"""E-mails in the admin, read-only; a dead one can be sent again."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import Q
from django.http import HttpRequest
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin, object_link
from outbox.admin import samples
from outbox.admin.hubs import outcome
from outbox.enums import OutboxRefusal
from outbox.models import DEADLINE_PASSED, OutboxMessage
from outbox.services.queue import revive_message
from web.admin.base import LanguageFilter, StateFilter
from web.admin.confirmation import ConfirmedAction
from web.admin.hubs import given, given_object, list_url

PARTNER = "partners.partner"


class MessageStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        late = Q(drop_reason=DEADLINE_PASSED)
        waiting = {"sent_at__isnull": True, "dropped_at__isnull": True, "dead_at__isnull": True}
        return {
            "waiting": (_("waiting"), Q(**waiting)),
            "sent": (_("sent"), Q(sent_at__isnull=False)),
            "late": (_("dropped: its deadline had passed"), late),
            "stale": (_("dropped: it was not true any more"), Q(dropped_at__isnull=False) & ~late),
            "dead": (_("dead"), Q(dead_at__isnull=False)),
        }


@admin.register(OutboxMessage)
class OutboxMessageAdmin(EvidenceAdmin):
    list_display = ("created_at", "outcome", "email_kind", "recipient", "tries")
    list_filter = (
        MessageStateFilter,
        LanguageFilter,
        given_object("partner_id", PARTNER),
        *given("recipient", "about_label", "about_id"),
    )
    search_fields = ("recipient__exact", "kind__startswith", "message_id__exact", "about_id__exact")
    search_help_text = _(
        "A whole e-mail address, beginning of the kind, Message-ID, or the object's id"
    )
    lower_case_search = True
    date_hierarchy = "created_at"
    addresses = ("recipient", "last_error")
    fields = (
        "outcome",
        "email_kind",
        "recipient",
        "language",
        "about",
        "partner",
        "message_id",
        "created_at",
        "deadline_at",
        "next_try",
        "tries",
        "last_error",
        "sent_at",
        "dropped_at",
        "drop_reason",
        "dead_at",
    )
    readonly_fields = ("outcome", "email_kind", "about", "partner", "next_try")
    actions = ("send_again",)

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        names = super().get_list_display(request)
        return ["only_recipient" if name == "recipient" else name for name in names]

    @admin.display(description=_("recipient"), ordering="recipient")
    def only_recipient(self, message: OutboxMessage) -> str:
        """Lead to the messages to the same address; only who may see addresses has this column."""
        url = list_url(OutboxMessage, {"recipient": message.recipient})
        return format_html('<a href="{}">{}</a>', url, message.recipient)

    @admin.display(description=_("state"))
    def outcome(self, message: OutboxMessage) -> Any:
        return outcome(message)

    @admin.display(description=_("kind"), ordering="kind")
    def email_kind(self, message: OutboxMessage) -> str:
        """Lead to the page that says when this kind is sent, with an example."""
        url = reverse("admin:email_sample", args=[message.kind])
        return format_html('<a href="{}">{}</a>', url, message.kind)

    @admin.display(description=_("about"))
    def about(self, message: OutboxMessage) -> str:
        return object_link(self.admin_site, message.about_label, message.about_id)

    @admin.display(description=_("partner"))
    def partner(self, message: OutboxMessage) -> str:
        """Lead to the partner whose members or customers it is for."""
        key = message.partner_id
        return object_link(self.admin_site, PARTNER, str(key)) if key is not None else "-"

    @admin.display(description=_("next try at"))
    def next_try(self, message: OutboxMessage) -> datetime | str:
        """Return a dash for a message that has ended: it is not tried again."""
        ends = (message.sent_at, message.dropped_at, message.dead_at)
        return message.next_try_at if ends == (None, None, None) else "-"

    def get_urls(self) -> list[URLPattern]:
        return [*samples.urls(self.admin_site), *super().get_urls()]

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        """Require the change permission, although the rows themselves are read-only."""
        return request.user.has_perm("outbox.change_outboxmessage")

    @ConfirmedAction(
        title=_("Send dead e-mails again"),
        consequences=(
            _("The worker tries each e-mail again, with the same Message-ID."),
            _("E-mails that are not dead do not change."),
        ),
        button=_("Send again"),
        refusals={
            OutboxRefusal.NOT_DEAD: _("This e-mail is not dead."),
            OutboxRefusal.RECIPIENT_FORGOTTEN: _(
                "This e-mail is so old that its recipient is no longer stored."
            ),
        },
        permissions=["send_again"],
        works_for=lambda message: message.dead_at is not None,
    )
    def send_again(self, message: OutboxMessage, *, by: AbstractBaseUser, now: datetime) -> None:
        revive_message(message=message, by=by, now=now)

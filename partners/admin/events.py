"""Events for other systems in the admin, read-only."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin, ObjectKindFilter, object_link
from outbox.models import Event
from web.admin.hubs import given, list_url


@admin.register(Event)
class EventAdmin(EvidenceAdmin):
    list_display = ("occurred_at", "position", "only_kind", "partner_id", "about")
    list_filter = (ObjectKindFilter, *given("kind", "partner_id", "object_id"))
    search_fields = ("kind__startswith", "object_id__exact")
    search_help_text = _("Beginning of the kind, or the object's id")
    lower_case_search = True
    date_hierarchy = "occurred_at"
    # Keys have no order.
    ordering = ("-occurred_at", "-pk")
    # What partners' systems gave may be an address.
    addresses = ("data",)
    fields = ("occurred_at", "position", "kind", "partner_id", "about", "data")
    readonly_fields = ("about",)

    @admin.display(description=_("kind"), ordering="kind")
    def only_kind(self, event: Event) -> str:
        """Lead to the events of the same kind."""
        return format_html('<a href="{}">{}</a>', list_url(Event, {"kind": event.kind}), event.kind)

    @admin.display(description=_("object"))
    def about(self, event: Event) -> str:
        return object_link(self.admin_site, event.object_label, event.object_id)

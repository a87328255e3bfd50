"""Events for other systems in the admin, read-only, with the names of kinds and partners."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from audit.admin import ObjectEventAdmin, ObjectKindFilter
from outbox.models import Event
from partners.enums import EventKind
from partners.models import Partner
from web.admin.base import StateFilter
from web.admin.hubs import given, given_object, list_url


class EventKindFilter(StateFilter):
    title = _("kind")
    parameter_name = "kind"

    def states(self) -> dict[str, tuple[Any, Q]]:
        return {kind.value: (kind.label, Q(kind=kind)) for kind in EventKind}


def _kind(event: Event) -> Any:
    return dict(EventKind.choices).get(event.kind, event.kind)


@admin.register(Event)
class EventAdmin(ObjectEventAdmin):
    list_display = ("occurred_at", "only_kind", "partner", "about", "position")
    list_filter = (
        EventKindFilter,
        ObjectKindFilter,
        given_object("partner_id", "partners.partner"),
        *given("object_id"),
    )
    search_fields = ("kind__startswith", "object_id__exact")
    search_help_text = _("Beginning of the kind, or the object's id")
    lower_case_search = True
    date_hierarchy = "occurred_at"
    # Keys have no order.
    ordering = ("-occurred_at", "-pk")
    # What partners' systems gave may be an address.
    addresses = ("data",)
    fields = ("occurred_at", "position", "only_kind", "partner", "about", "data")
    readonly_fields = ("only_kind", "partner", "about")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        name = Partner.objects.filter(pk=OuterRef("partner_id")).values("name")
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.annotate(partner_name=Subquery(name))

    @admin.display(description=_("partner"), ordering="partner_id")
    def partner(self, event: Any) -> Any:
        """Lead to the partner that reads it too."""
        if event.partner_id is None:
            return "-"
        url = reverse("admin:partners_partner_change", args=[event.partner_id])
        return format_html('<a href="{}">{}</a>', url, event.partner_name or event.partner_id)

    @admin.display(description=_("kind"), ordering="kind")
    def only_kind(self, event: Event) -> str:
        """Lead to the events of the same kind."""
        url = list_url(Event, {"kind": event.kind})
        return format_html('<a href="{}" title="{}">{}</a>', url, _kind(event), event.kind)

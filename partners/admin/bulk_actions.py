"""Actions on many rows, and what became of each row, in the admin, read-only."""

from typing import Any

from django.contrib import admin
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin, object_link
from partners.admin.batches import BatchStateFilter
from partners.admin.shared import all_fields
from partners.enums import BulkKind
from partners.models import BulkAction, BulkActionRow
from partners.refusals import SENTENCES
from web.admin.hubs import given

OF_INVITATIONS = {BulkKind.REVOKE, BulkKind.RESEND, BulkKind.EXTEND}
CUSTOMER = "association.association"


# By the code of an outcome; other apps add theirs.
REASONS: dict[str, Any] = dict(SENTENCES)


def outcome_of(row: BulkActionRow) -> Any:
    """Say what became of the row, as the console does; "" while it waits."""
    if row.outcome in {"", BulkActionRow.DONE}:
        return _("done") if row.outcome else ""
    why = REASONS.get(row.outcome, row.outcome.replace("_", " "))
    return format_lazy("{}: {}", _("left alone"), why)


@admin.register(BulkAction)
class BulkActionAdmin(EvidenceAdmin):
    list_display = (
        "kind",
        "partner",
        "size",
        "done",
        "left_alone",
        "created_at",
        "created_by",
    )
    list_select_related = ("partner", "created_by")
    list_filter = (BatchStateFilter, "kind", *given("partner", "batch"))
    search_fields = ("partner__name__icontains",)
    search_help_text = _("Part of the partner's name")
    date_hierarchy = "created_at"
    addresses = ("reason",)
    fields = tuple(
        {"done_count": "done", "refused_count": "left_alone"}.get(name, name)
        for name in all_fields(BulkAction)
    )
    readonly_fields = ("done", "left_alone")

    @admin.display(description=_("done"))
    def done(self, action: BulkAction) -> int:
        """Return how many rows were changed; the stored count has those left alone too."""
        return action.done_count - action.refused_count

    @admin.display(description=_("left alone"), ordering="refused_count")
    def left_alone(self, action: BulkAction) -> int:
        return action.refused_count


@admin.register(BulkActionRow)
class BulkActionRowAdmin(EvidenceAdmin):
    list_display = ("action", "number", "object", "what_came", "again_at")
    list_select_related = ("action",)
    list_filter = given("action")
    search_fields = ("object_id",)
    search_help_text = _("The key of an invitation or of an association")
    date_hierarchy = "action__created_at"
    fields = ("action", "number", "object", "what_came", "again_at")
    readonly_fields = ("object", "what_came")

    @admin.display(description=_("object"), ordering="object_id")
    def object(self, row: BulkActionRow) -> str:
        label = "partners.invitation" if row.action.kind in OF_INVITATIONS else CUSTOMER
        return object_link(self.admin_site, label, str(row.object_id))

    @admin.display(description=_("outcome"), ordering="outcome")
    def what_came(self, row: BulkActionRow) -> Any:
        return outcome_of(row)

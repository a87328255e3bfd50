"""Actions on many rows, and what became of each row, in the admin, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from partners.admin.batches import BatchStateFilter
from partners.admin.shared import all_fields
from partners.models import BulkAction, BulkActionRow
from web.admin.hubs import given


@admin.register(BulkAction)
class BulkActionAdmin(EvidenceAdmin):
    list_display = (
        "kind",
        "partner",
        "size",
        "done_count",
        "refused_count",
        "created_at",
        "created_by",
    )
    list_select_related = ("partner", "created_by")
    list_filter = (BatchStateFilter, "kind", *given("partner", "batch"))
    search_fields = ("partner__name__icontains",)
    search_help_text = _("Part of the partner's name")
    date_hierarchy = "created_at"
    addresses = ("reason",)
    fields = all_fields(BulkAction)


@admin.register(BulkActionRow)
class BulkActionRowAdmin(EvidenceAdmin):
    list_display = ("action", "number", "object_id", "outcome", "again_at")
    list_select_related = ("action",)
    list_filter = given("action")
    search_fields = ("object_id",)
    search_help_text = _("The key of an invitation or of an association")
    date_hierarchy = "action__created_at"
    fields = all_fields(BulkActionRow)

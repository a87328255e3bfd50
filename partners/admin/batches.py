"""Batches of invitations and their rows in the admin, read-only; tokens are never shown."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from partners.admin.shared import all_fields
from partners.models import BatchRow, InvitationBatch
from web.admin.base import StateFilter
from web.admin.hubs import given


class BatchStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        ended = Q(finished_at__isnull=False) | Q(cancelled_at__isnull=False)
        return {
            "draft": (_("draft"), Q(started_at__isnull=True) & ~ended),
            "running": (_("running"), Q(started_at__isnull=False) & ~ended),
            "finished": (_("all created"), Q(finished_at__isnull=False)),
            "cancelled": (_("cancelled"), Q(cancelled_at__isnull=False)),
        }


@admin.register(InvitationBatch)
class InvitationBatchAdmin(EvidenceAdmin):
    list_display = (
        "label",
        "partner",
        "channel",
        "association_type",
        "size",
        "done_count",
        "refused_count",
        "created_at",
        "created_by",
    )
    list_select_related = ("partner", "created_by")
    list_filter = (BatchStateFilter, "channel", "association_type", *given("partner"))
    search_fields = ("name__icontains", "label__icontains", "partner__name__icontains")
    search_help_text = _("Part of the name, the label or the partner's name")
    date_hierarchy = "created_at"
    addresses = ("note", "subject")
    fields = all_fields(InvitationBatch)


class RowStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        invited, refused = Q(invitation__isnull=False), ~Q(problem="")
        return {
            "waiting": (_("waiting"), ~invited & ~refused),
            "invited": (_("invited"), invited),
            "refused": (_("refused"), refused),
        }


@admin.register(BatchRow)
class BatchRowAdmin(EvidenceAdmin):
    list_display = ("batch", "number", "name", "email", "problem", "remark", "invitation")
    list_select_related = ("batch", "invitation")
    list_filter = (RowStateFilter, *given("batch"))
    search_fields = ("batch__label__icontains", "batch__partner__name__icontains", "email__exact")
    search_help_text = _("Part of the batch's label or of the partner's name, or the whole e-mail")
    lower_case_search = True
    date_hierarchy = "batch__created_at"
    # People may have typed an address into any column.
    addresses = ("name", "email", "country", "note", "reference")
    fields = all_fields(BatchRow)

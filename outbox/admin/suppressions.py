"""Who does not want which partner's invitations, in the admin; addresses are not stored."""

from contextlib import suppress
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from outbox.models import Suppression
from outbox.services.suppression import hash_of
from web.email_addresses import InvalidAddress, canonical_address


@admin.register(Suppression)
class SuppressionAdmin(EvidenceAdmin):
    list_display = ("created_at", "sender_label", "sender_id", "address_hash")
    search_fields = ("address_hash__exact", "sender_id__exact")
    search_help_text = _("A whole e-mail address, or the sender's id")
    date_hierarchy = "created_at"
    fields = ("created_at", "sender_label", "sender_id", "address_hash")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find an address by its hash."""
        with suppress(InvalidAddress):
            search_term = hash_of(canonical_address(search_term))
        return super().get_search_results(request, queryset, search_term)

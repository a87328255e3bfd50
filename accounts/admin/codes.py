"""Verification codes in the admin, read-only."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import VerificationCode
from audit.admin import EvidenceAdmin
from web.admin.filters import StateFilter


class CodeStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        return {
            "spent": (_("used"), Q(spent_at__isnull=False)),
            "locked": (_("too many tries"), Q(spent_at__isnull=True, tries__gte=5)),
            "open": (_("not used"), Q(spent_at__isnull=True, tries__lt=5)),
        }


@admin.register(VerificationCode)
class VerificationCodeAdmin(EvidenceAdmin):
    """Shows that codes were sent and tried; the secret behind a code is never shown."""

    list_display = ("sent_at", "email", "purpose", "tries", "expires_at", "spent_at")
    list_filter = (CodeStateFilter, "purpose")
    search_fields = ("email__exact",)
    search_help_text = _("A whole e-mail address")
    lower_case_search = True
    date_hierarchy = "sent_at"
    addresses = ("email",)
    fields = ("email", "purpose", "sent_at", "expires_at", "tries", "spent_at", "spent_by")

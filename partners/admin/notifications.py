"""Notifications of members in the admin: their choices, and the digests, waiting and sent."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from audit.admin import EvidenceAdmin
from partners.models import DigestEntry, MemberDigest, NotificationChoice


class _OfMemberAdmin(EvidenceAdmin):
    list_select_related = ("member__user", "member__partner")
    lower_case_search = True
    search_fields = ("member__user__account_name__startswith", "member__user__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")


@admin.register(NotificationChoice)
class NotificationChoiceAdmin(_OfMemberAdmin):
    list_display = ("member", "kind", "delivery", "chosen_at")
    list_filter = ("kind", "delivery")
    date_hierarchy = "chosen_at"
    fields = list_display


@admin.register(DigestEntry)
class DigestEntryAdmin(_OfMemberAdmin):
    list_display = ("member", "kind", "due_at")
    list_filter = ("kind",)
    date_hierarchy = "due_at"
    fields = list_display


@admin.register(MemberDigest)
class MemberDigestAdmin(_OfMemberAdmin):
    list_display = ("member", "sent_on")
    date_hierarchy = "sent_on"
    fields = list_display

"""Attempts and consents in the admin: evidence, to be read only."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from association.models import (
    Attempt,
    Consent,
    PartnerMessage,
    PartnerTold,
    ResumeEmail,
    ResumeReminder,
)
from association.refusal_texts import REFUSAL_TEXTS
from audit.admin import EvidenceAdmin
from partners.admin.shared import TokenSearch
from web.admin.base import LanguageFilter, StateFilter
from web.admin.hubs import given


def attempt_state(attempt: Attempt) -> Any:
    """Say how far it came; a rule that refused is named as on the eligibility preview."""
    if hasattr(attempt, "association"):
        return _("associated")
    if attempt.refusal_codes:
        return _("refused: %(rules)s") % {"rules": refused_rules(attempt.refusal_codes)}
    if attempt.deferred_at is not None:
        return _("put off")
    return _("entered with an account") if attempt.account_id else _("no account yet")


def refused_rules(codes: Iterable[str]) -> str:
    """Return what each rule asks for that the account does not meet."""
    return "; ".join(f"“{REFUSAL_TEXTS[code].title}”" for code in codes)


class AttemptStateFilter(StateFilter):
    def states(self) -> dict[str, tuple[Any, Q]]:
        done = Q(associated_at__isnull=False)
        return {
            "anonymous": (_("no account yet"), Q(account__isnull=True)),
            "entered": (_("entered with an account"), Q(account__isnull=False) & ~done),
            "put_off": (_("put off"), Q(deferred_at__isnull=False) & ~done),
            "told": (_("partner told"), Q(told_partner_at__isnull=False) & ~done),
            "associated": (_("associated"), done),
        }


@admin.register(Attempt)
class AttemptAdmin(TokenSearch, EvidenceAdmin):
    path_to_invitation = "invitation__"
    list_display = (
        "started_at",
        "state",
        "invitation",
        "account",
        "registration_email",
    )
    list_select_related = ("invitation", "account__owner", "association")
    readonly_fields = ("state", "refused_by")
    list_filter = (AttemptStateFilter, LanguageFilter, *given("account", "partner", "invitation"))
    search_fields = (
        "account__owner__account_name__startswith",
        "account__owner__email__exact",
        "registration_email__exact",
        "invitation__label__icontains",
        "invitation__partner__name__icontains",
    )
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, part of the invitation's label "
        "or of the partner's name, or a link or token"
    )
    lower_case_search = True
    date_hierarchy = "started_at"
    ordering = ("-started_at",)
    addresses = ("registration_email",)
    fields = (
        "state",
        "id",
        "invitation",
        "language",
        "started_at",
        "is_restarted",
        "agreed_by",
        "instructions",
        "instructions_agreed_at",
        "instructions_network_address",
        "instructions_words",
        "letter",
        "letter_agreed_at",
        "letter_network_address",
        "letter_words",
        "registration_email",
        "registration_country",
        "code_asked_at",
        "code_again_at",
        "account",
        "entered_at",
        "registered_at",
        "refused_by",
        "decided_at",
        "dismissed_at",
        "deferred_at",
        "told_partner_at",
        "associated_at",
    )

    @admin.display(description=_("state"))
    def state(self, attempt: Attempt) -> Any:
        return attempt_state(attempt)

    @admin.display(description=_("refused by"))
    def refused_by(self, attempt: Attempt) -> str:
        return refused_rules(attempt.refusal_codes)


@admin.register(Consent)
class ConsentAdmin(EvidenceAdmin):
    list_display = ("agreed_at", "account", "document", "network_address")
    list_select_related = ("account__owner", "document")
    list_filter = ("document__kind", "document__language", *given("account", "attempt"))
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "agreed_at"


@admin.register(PartnerTold)
class PartnerToldAdmin(EvidenceAdmin):
    list_display = ("told_at", "account", "invitation")
    list_select_related = ("account__owner", "invitation")
    search_fields = (
        "account__owner__account_name__startswith",
        "account__owner__email__exact",
        "invitation__label__icontains",
    )
    search_help_text = _(
        "Beginning of the account name, a whole e-mail address, or part of the invitation's label"
    )
    lower_case_search = True
    date_hierarchy = "told_at"


@admin.register(ResumeEmail)
class ResumeEmailAdmin(EvidenceAdmin):
    list_display = ("sent_on", "account", "attempt")
    list_select_related = ("account__owner", "attempt__invitation")
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "sent_on"


@admin.register(ResumeReminder)
class ResumeReminderAdmin(EvidenceAdmin):
    list_display = ("reminded_at", "account", "invitation")
    list_select_related = ("account__owner", "invitation")
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "reminded_at"


@admin.register(PartnerMessage)
class PartnerMessageAdmin(EvidenceAdmin):
    list_display = ("sent_at", "kind", "account", "partner", "sent_by")
    list_select_related = ("account__owner", "partner", "sent_by")
    list_filter = ("kind",)
    search_fields = ("account__owner__account_name__startswith", "account__owner__email__exact")
    search_help_text = _("Beginning of the account name, or a whole e-mail address")
    lower_case_search = True
    date_hierarchy = "sent_at"

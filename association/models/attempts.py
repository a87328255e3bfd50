"""Attempts: one visitor's way from the first step to the result."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from accounts.models import CustomerAccount
from association.models.documents import LegalDocument
from audit.models import actor_key
from partners.enums import AssociationType, Channel
from partners.models import Invitation, Partner, PartnerMember


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Named sets of attempts."""

    def visible_to(self, member: PartnerMember) -> "AttemptQuerySet":
        """Attempts of the member's partner; a manager sees only those of their own invitations."""
        rows = self.filter(partner=member.partner_id)
        return rows if member.is_administrator else rows.filter(invited_by=member.user_id)


class Attempt(models.Model):
    """One visitor's attempt to join a partner through an invitation.

    `partner`, `invited_by`, `channel` and `association_type` are derived from the invitation, where
    they never change, for the indexes of the history (`services/attempts.py`, decision 0043), and
    `associated_at` from its association. The attempt belongs to the browser whose cookie hashes to
    `browser_hash` until it has an account, then to that account. What is agreed before is kept
    here; it becomes consents when the association is made. Once there is an account, only that
    account's own ticks are kept.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invitation = models.ForeignKey(
        Invitation,
        on_delete=models.PROTECT,
        related_name="attempts",
        verbose_name=_("invitation"),
    )
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="attempts", verbose_name=_("partner")
    )
    invited_by = actor_key(_("invited by"))
    channel = models.CharField(
        _("channel"), max_length=8, choices=Channel.choices, default="", db_default=""
    )
    association_type = models.CharField(
        _("association type"),
        max_length=16,
        choices=AssociationType.choices,
        default="",
        db_default="",
    )
    browser_hash = models.CharField(_("browser"), max_length=64)
    language = models.CharField(_("language"), max_length=16)
    started_at = models.DateTimeField(_("started at"))
    is_restarted = models.BooleanField(
        _("began again for another account"), default=False, db_default=False
    )

    instructions = models.ForeignKey(
        LegalDocument,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("instructions agreed to"),
    )
    instructions_agreed_at = models.DateTimeField(
        _("instructions agreed at"), null=True, blank=True
    )
    instructions_network_address = models.GenericIPAddressField(
        _("instructions agreed from"), null=True, blank=True
    )
    # The other fields of the consent: the text's hash, the label, the language.
    instructions_words = models.JSONField(
        _("words of the instructions agreed to"), null=True, blank=True
    )
    letter = models.ForeignKey(
        LegalDocument,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("letter of authorization agreed to"),
    )
    letter_agreed_at = models.DateTimeField(_("letter agreed at"), null=True, blank=True)
    letter_network_address = models.GenericIPAddressField(
        _("letter agreed from"), null=True, blank=True
    )
    letter_words = models.JSONField(_("words of the letter agreed to"), null=True, blank=True)
    # Who was signed in when both were ticked. Nothing is searched by it, so it has no index.
    agreed_by = actor_key(_("agreed while signed in as"), db_index=False)

    registration_email = models.CharField(
        _("e-mail address being proven"), max_length=254, blank=True
    )
    registration_country = CountryField(_("country or region chosen"), blank=True)
    code_asked_at = models.DateTimeField(_("code asked for at"), null=True, blank=True)
    code_again_at = models.DateTimeField(_("next code possible at"), null=True, blank=True)

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="attempts",
        null=True,
        blank=True,
        verbose_name=_("customer account"),
    )
    entered_at = models.DateTimeField(_("entered with the account at"), null=True, blank=True)
    registered_at = models.DateTimeField(_("account registered at"), null=True, blank=True)
    refusal_codes = models.JSONField(_("refusals when last decided"), default=list, blank=True)
    decided_at = models.DateTimeField(_("last decided at"), null=True, blank=True)
    # The moment of the last decision while it refuses; empty when nothing does.
    refused_at = models.DateTimeField(_("refused at"), null=True, blank=True)
    # When its account put the notice about the refusal away; a new decision brings it back.
    dismissed_at = models.DateTimeField(_("notice dismissed at"), null=True, blank=True)
    deferred_at = models.DateTimeField(_("put off at"), null=True, blank=True)
    told_partner_at = models.DateTimeField(_("partner told at"), null=True, blank=True)
    associated_at = models.DateTimeField(_("associated at"), null=True, blank=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        indexes = [
            models.Index(fields=["invitation", "-started_at"], name="attempt_by_invitation"),
            models.Index(fields=["partner", "-started_at", "-id"], name="attempt_by_partner"),
            models.Index(fields=["invited_by", "-started_at", "-id"], name="attempt_by_inviter"),
            models.Index(
                fields=["partner", "association_type", "-started_at", "-id"],
                name="attempt_by_type",
            ),
            models.Index(
                fields=["partner", "channel", "-started_at", "-id"], name="attempt_by_channel"
            ),
            models.Index(
                fields=["partner", "-registered_at"],
                condition=Q(registered_at__isnull=False),
                name="attempt_registered",
            ),
            models.Index(
                fields=["partner", "-refused_at"],
                condition=Q(refused_at__isnull=False),
                name="attempt_refused",
            ),
            models.Index(
                fields=["partner", "-associated_at"],
                condition=Q(associated_at__isnull=False),
                name="attempt_associated",
            ),
            models.Index(
                fields=["partner", "-started_at", "-id"],
                condition=Q(refused_at__isnull=False),
                name="attempt_refused_by_start",
            ),
            models.Index(
                fields=["partner", "-started_at", "-id"],
                condition=Q(deferred_at__isnull=False),
                name="attempt_put_off",
            ),
            # What reminders look for (`services/last_day_reminders.py`).
            models.Index(
                fields=["deferred_at"],
                condition=Q(deferred_at__isnull=False),
                name="attempt_by_deferral",
            ),
            models.Index(
                fields=["registration_email"],
                condition=~Q(registration_email=""),
                name="attempt_by_email",
            ),
            models.Index(
                fields=["invitation"],
                condition=Q(registered_at__isnull=False),
                name="attempt_registered_through",
            ),
            models.Index(
                fields=["invitation"],
                condition=Q(refused_at__isnull=False),
                name="attempt_refused_through",
            ),
            models.Index(fields=["browser_hash", "-started_at"], name="attempt_by_browser"),
            # The order of the provider's list.
            models.Index(fields=["started_at"], name="attempt_by_moment"),
            # What retention looks for (`services/retention.py`).
            models.Index(
                fields=["started_at"],
                condition=Q(account__isnull=True),
                name="attempt_without_account",
            ),
            models.Index(
                fields=["started_at"],
                condition=Q(instructions_network_address__isnull=False)
                | Q(letter_network_address__isnull=False),
                name="attempt_with_network_address",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(instructions__isnull=True, instructions_agreed_at__isnull=True)
                | Q(instructions__isnull=False, instructions_agreed_at__isnull=False),
                name="attempt_instructions_are_agreed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(letter__isnull=True, letter_agreed_at__isnull=True)
                | Q(letter__isnull=False, letter_agreed_at__isnull=False),
                name="attempt_letter_is_agreed_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(account__isnull=True, entered_at__isnull=True)
                | Q(account__isnull=False, entered_at__isnull=False),
                name="attempt_is_entered_with_an_account",
            ),
            models.CheckConstraint(
                condition=Q(registered_at__isnull=True) | Q(account__isnull=False),
                name="attempt_registered_an_account",
            ),
            models.CheckConstraint(
                condition=Q(refused_at__isnull=True) | Q(refused_at=F("decided_at")),
                name="attempt_is_refused_by_its_last_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invitation} – {self.started_at:%Y-%m-%d %H:%M} UTC"

    @property
    def is_ticked_by_its_account(self) -> bool:
        """Whether what was ticked is its account's: ticked signed in, or before registering."""
        if self.account is None or self.agreed_by_id == self.account.owner_id:
            return True
        return self.registered_at is not None and self.agreed_by_id is None

    @property
    def agrees_at_the_end(self) -> bool:
        """Whether the last page asks for the agreement to the instructions.

        It does for an account that existed before, and where another account's ticks were removed.
        """
        if self.account_id is None or not self.invitation.is_reseller:
            return False
        return self.registered_at is None or self.instructions_id is None

"""Notices that are sent only so often; the constraint of each says how often."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from association.enums import MessageKind
from association.models.attempts import Attempt
from audit.models import actor_key
from partners.models import Invitation, Partner


class PartnerTold(models.Model):
    """The partner was told about the refusals of an account, once per account and invitation."""

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("customer account"),
    )
    invitation = models.ForeignKey(
        Invitation, on_delete=models.PROTECT, related_name="+", verbose_name=_("invitation")
    )
    told_at = models.DateTimeField(_("told at"))

    class Meta:
        verbose_name = _("partner told of refusals")
        verbose_name_plural = _("partners told of refusals")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "invitation"],
                name="partner_is_told_once_per_account_and_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.invitation}"


class ResumeEmail(models.Model):
    """The link back was e-mailed to a customer who enables later, once a day (UTC) per account."""

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("customer account"),
    )
    attempt = models.ForeignKey(
        Attempt,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("attempt"),
    )
    sent_on = models.DateField(_("sent on"))

    class Meta:
        verbose_name = _("e-mail with the link back")
        verbose_name_plural = _("e-mails with the link back")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "sent_on"], name="one_resume_email_per_account_and_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.sent_on}"


class ResumeReminder(models.Model):
    """A customer was reminded of the last day to join, once per account and invitation."""

    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("customer account"),
    )
    invitation = models.ForeignKey(
        Invitation, on_delete=models.PROTECT, related_name="+", verbose_name=_("invitation")
    )
    reminded_at = models.DateTimeField(_("reminded at"))

    class Meta:
        verbose_name = _("reminder of the last day")
        verbose_name_plural = _("reminders of the last day")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "invitation"], name="one_reminder_per_account_and_invitation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.invitation}"


class PartnerMessage(models.Model):
    """The newest e-mail of a kind that members of a partner had sent to an account.

    There is one row for each, and the next e-mail changes it: 24 hours later at the earliest.
    """

    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="+", verbose_name=_("partner")
    )
    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("customer account"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=MessageKind.choices)
    attempt = models.ForeignKey(
        Attempt, on_delete=models.PROTECT, related_name="+", verbose_name=_("attempt")
    )
    sent_at = models.DateTimeField(_("sent at"))
    sent_by = actor_key(_("sent by"))

    class Meta:
        verbose_name = _("partner's message to a visitor")
        verbose_name_plural = _("partners' messages to visitors")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "partner", "kind"],
                name="one_newest_message_per_account_partner_and_kind",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=MessageKind.values), name="message_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.get_kind_display()}"

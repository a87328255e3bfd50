"""Verification codes: to which e-mail address, for what and in which flow each was sent."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.enums import CodePurpose


class VerificationCode(models.Model):
    """One code that was sent. The six digits are derived from the nonce and stored nowhere.

    A known address gets a row as well, so that the limits count alike. `spent_by` is the user whom
    a code for a registration has created.
    """

    email = models.CharField(_("e-mail"), max_length=254)
    purpose = models.CharField(_("purpose"), max_length=16, choices=CodePurpose.choices)
    flow = models.CharField(_("flow"), max_length=64)
    nonce = models.CharField(_("nonce"), max_length=64)
    sent_at = models.DateTimeField(_("sent at"))
    expires_at = models.DateTimeField(_("expires at"))
    # Sent beyond what strangers get in a day: see `send_code()`.
    is_kept_for_owner = models.BooleanField(
        _("kept for the owner"), default=False, db_default=False
    )
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    spent_at = models.DateTimeField(_("spent at"), null=True, blank=True)
    spent_by = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("registered user"),
    )

    class Meta:
        verbose_name = _("verification code")
        verbose_name_plural = _("verification codes")
        indexes = [
            models.Index(fields=["email", "-sent_at"], name="code_by_email"),
            models.Index(fields=["sent_at"], name="code_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tries__lte=5), name="verification_code_has_at_most_five_tries"
            ),
            models.CheckConstraint(
                condition=models.Q(purpose__in=CodePurpose.values),
                name="verification_code_purpose_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(spent_by__isnull=True)
                | models.Q(spent_at__isnull=False, purpose=CodePurpose.REGISTER),
                name="verification_code_registers_only_when_spent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.sent_at:%Y-%m-%d %H:%M} UTC"

"""Which e-mails a member wants at once, which in one a day, and what waits for that one."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from partners.enums import NotificationDelivery, NotificationKind
from partners.models.members import PartnerMember


class NotificationChoice(models.Model):
    """How a member wants e-mails of one kind; without a row each is sent at once."""

    member = models.ForeignKey(
        PartnerMember,
        on_delete=models.CASCADE,
        related_name="notification_choices",
        verbose_name=_("partner member"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=NotificationKind.choices)
    delivery = models.CharField(_("delivery"), max_length=8, choices=NotificationDelivery.choices)
    chosen_at = models.DateTimeField(_("chosen at"))

    class Meta:
        verbose_name = _("choice of notifications")
        verbose_name_plural = _("choices of notifications")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind"], name="one_notification_choice_per_member_and_kind"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=NotificationKind.values), name="notification_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(delivery__in=NotificationDelivery.values),
                name="notification_delivery_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.kind} {self.delivery}"


class DigestEntry(models.Model):
    """Something happened of which a member reads in the next digest, which deletes the row."""

    member = models.ForeignKey(
        PartnerMember,
        on_delete=models.CASCADE,
        related_name="digest_entries",
        verbose_name=_("partner member"),
    )
    kind = models.CharField(_("kind"), max_length=32, choices=NotificationKind.choices)
    due_at = models.DateTimeField(_("due at"), db_index=True)

    class Meta:
        verbose_name = _("entry of the next digest")
        verbose_name_plural = _("entries of the next digest")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=NotificationKind.values), name="digest_entry_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.kind}"


class MemberDigest(models.Model):
    """A member was sent the digest, at most once a day of the partner's time zone."""

    member = models.ForeignKey(
        PartnerMember,
        on_delete=models.CASCADE,
        related_name="digests",
        verbose_name=_("partner member"),
    )
    sent_on = models.DateField(_("sent on"))

    class Meta:
        verbose_name = _("digest of a member")
        verbose_name_plural = _("digests of members")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "sent_on"], name="one_digest_per_member_and_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.sent_on}"

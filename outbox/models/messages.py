"""E-mails that are enqueued and sent by the worker, and who does not want which."""

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Case, F, Q, When
from django.utils.translation import gettext_lazy as _

# The reason of a message that was dropped because it could not be sent in time.
DEADLINE_PASSED = "deadline passed"
# The property `undelivered_at` as an expression.
UNDELIVERED_AT = Case(When(drop_reason=DEADLINE_PASSED, then=F("dropped_at")), default=F("dead_at"))


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    """Named sets of messages."""

    def waiting(self) -> "OutboxQuerySet":
        return self.filter(sent_at__isnull=True, dropped_at__isnull=True, dead_at__isnull=True)

    def ended(self) -> "OutboxQuerySet":
        return self.exclude(sent_at__isnull=True, dropped_at__isnull=True, dead_at__isnull=True)


class OutboxMessage(models.Model):
    """One e-mail to one address, rendered when it is sent.

    `kind` is "app.name": that function of the app's `emails` module writes the e-mail, about the
    object named by label and id. A message ends in exactly one of three ways: sent; dropped, with a
    reason (it became stale, or its deadline passed); dead, with an error (the mail server refused
    it for good, or it cannot be written).
    """

    kind = models.CharField(_("kind"), max_length=80)
    recipient = models.CharField(_("recipient"), max_length=254)
    language = models.CharField(_("language"), max_length=16)
    about_label = models.CharField(_("about"), max_length=80)
    about_id = models.CharField(_("about id"), max_length=64)
    # The partner whose members or customers it is for; null: none, or from before it was stored.
    partner_id = models.BigIntegerField(_("partner"), null=True, blank=True)
    data = models.JSONField(_("data"), default=dict, blank=True, encoder=DjangoJSONEncoder)
    message_id = models.CharField(_("Message-ID"), max_length=200, unique=True)
    created_at = models.DateTimeField(_("created at"))
    deadline_at = models.DateTimeField(_("deadline at"))
    next_try_at = models.DateTimeField(_("next try at"))
    # One of thousands: it waits for all other messages.
    is_bulk = models.BooleanField(_("one of many"), default=False)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped at"), null=True, blank=True)
    drop_reason = models.CharField(_("drop reason"), max_length=80, blank=True)
    dead_at = models.DateTimeField(_("dead at"), null=True, blank=True)

    objects = OutboxQuerySet.as_manager()

    # What it is about where that is not stored: in an example, which is shown and never sent.
    example: models.Model | None = None

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes = [
            models.Index(
                fields=["is_bulk", "next_try_at"],
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True, dead_at__isnull=True),
                name="outbox_waiting",
            ),
            models.Index(fields=["about_label", "about_id"], name="outbox_by_object"),
            models.Index(fields=["recipient", "created_at"], name="outbox_by_recipient"),
            models.Index(
                fields=["partner_id", "created_at"],
                condition=Q(partner_id__isnull=False),
                name="outbox_by_partner",
            ),
            # The order of the provider's list.
            models.Index(fields=["created_at"], name="outbox_by_moment"),
            models.Index(
                fields=["-dead_at"], condition=Q(dead_at__isnull=False), name="outbox_dead"
            ),
            # What `forget_recipients()` looks for.
            models.Index(
                fields=["created_at"], condition=~Q(recipient=""), name="outbox_with_recipient"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, dropped_at__isnull=True)
                | Q(sent_at__isnull=True, dead_at__isnull=True)
                | Q(dropped_at__isnull=True, dead_at__isnull=True),
                name="outbox_message_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True, drop_reason="")
                | (Q(dropped_at__isnull=False) & ~Q(drop_reason="")),
                name="outbox_message_dropped_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.created_at:%Y-%m-%d %H:%M} UTC"

    @property
    def undelivered_at(self) -> datetime | None:
        """Since when it will never arrive although it should: it is dead, or its deadline passed.

        What was dropped for another reason was not needed any more.
        """
        return self.dropped_at if self.drop_reason == DEADLINE_PASSED else self.dead_at


class Suppression(models.Model):
    """An address does not want the e-mails of one sender that it has not asked for.

    The sender is named by label and id. The address is not stored, only its SHA-256: who refuses
    e-mails does not want to be on one more list. The row stays when the person is erased.
    """

    address_hash = models.CharField(_("hash of the address"), max_length=64)
    sender_label = models.CharField(_("sender"), max_length=80)
    sender_id = models.CharField(_("sender's id"), max_length=64)
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("address that does not want e-mail")
        verbose_name_plural = _("addresses that do not want e-mail")
        constraints = [
            models.UniqueConstraint(
                fields=["address_hash", "sender_label", "sender_id"],
                name="one_suppression_per_address_and_sender",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender_label} {self.sender_id} {self.created_at:%Y-%m-%d}"

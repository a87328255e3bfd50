"""One action on many rows: which they are, how far it has come, and what became of each."""

from collections.abc import Collection

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models import actor_key
from partners.enums import BatchState, BulkKind
from partners.models.batches import InvitationBatch
from partners.models.members import PartnerMember
from partners.models.partners import Partner
from web.random_ids import RandomIdField


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    """Named sets of actions."""

    def drafts(self) -> "BulkActionQuerySet":
        return self.filter(started_at__isnull=True, cancelled_at__isnull=True)

    def running(self, kinds: Collection[str] = tuple(BulkKind)) -> "BulkActionQuerySet":
        return self.filter(
            kind__in=kinds,
            started_at__isnull=False,
            finished_at__isnull=True,
            cancelled_at__isnull=True,
        )

    def lock_next(self) -> "BulkAction | None":
        """Lock the action that was started first, of those that no other worker locks."""
        rows = self.order_by("started_at", "pk").select_related("partner", "created_by")
        return rows.select_for_update(skip_locked=True, of=("self",)).first()

    def visible_to(self, member: PartnerMember) -> "BulkActionQuerySet":
        """Actions of the member's own; an administrator also sees what others have started.

        A draft is confirmed only by the member who chose its rows.
        """
        rows, own = self.filter(partner=member.partner_id), Q(created_by=member.user_id)
        started = Q(started_at__isnull=False)
        return rows.filter(own | started if member.is_administrator else own)


class BulkAction(models.Model):
    """What a member does with the rows that were chosen on a list.

    A draft until it is started: its rows never change, so the button does what its page showed. Of
    `size` rows `done_count` are done, in the order of their numbers; of those `refused_count` were
    left alone. Cancelling leaves what is done.
    """

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="bulk_actions", verbose_name=_("partner")
    )
    kind = models.CharField(_("action"), max_length=16, choices=BulkKind.choices)
    # The batch on whose page all rows were chosen.
    batch = models.ForeignKey(
        InvitationBatch,
        on_delete=models.PROTECT,
        related_name="bulk_actions",
        null=True,
        blank=True,
        verbose_name=_("batch"),
    )
    # What the member typed when starting it: numbers, codes and moments as text.
    terms = models.JSONField(_("terms"), default=dict, blank=True)
    reason = models.CharField(_("reason"), max_length=256, blank=True)
    size = models.PositiveIntegerField(_("size"))
    done_count = models.PositiveIntegerField(_("done"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action on many rows")
        verbose_name_plural = _("actions on many rows")
        indexes = [
            models.Index(
                fields=["started_at"],
                condition=Q(finished_at__isnull=True, cancelled_at__isnull=True),
                name="bulk_action_running",
            ),
            # What `forget_bulk_actions()` looks for.
            models.Index(fields=["created_at"], name="bulk_action_by_age"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=BulkKind.values), name="bulk_action_kind_is_known"
            ),
            models.CheckConstraint(
                condition=Q(size__gte=1, done_count__lte=F("size"))
                & Q(refused_count__lte=F("done_count")),
                name="bulk_action_does_no_more_than_its_size",
            ),
            models.CheckConstraint(
                condition=Q(done_count=0) | Q(started_at__isnull=False),
                name="bulk_action_does_nothing_before_its_start",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(started_at__isnull=False, done_count=F("size")),
                name="bulk_action_is_finished_when_all_is_done",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(cancelled_at__isnull=True),
                name="bulk_action_is_finished_or_cancelled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.size})"

    @property
    def acted_count(self) -> int:
        return self.done_count - self.refused_count

    @property
    def state(self) -> BatchState:
        if self.cancelled_at is not None:
            return BatchState.CANCELLED
        if self.finished_at is not None:
            return BatchState.FINISHED
        return BatchState.DRAFT if self.started_at is None else BatchState.RUNNING


class BulkActionRow(models.Model):
    """One row of an action; its outcome is DONE, or the code of the refusal that left it alone."""

    DONE = "done"

    action = models.ForeignKey(
        BulkAction, on_delete=models.CASCADE, related_name="rows", verbose_name=_("action")
    )
    number = models.PositiveIntegerField(_("number"))
    object_id = models.BigIntegerField(_("object id"))
    outcome = models.CharField(_("outcome"), max_length=40, blank=True)
    again_at = models.DateTimeField(_("possible again at"), null=True, blank=True)

    class Meta:
        verbose_name = _("row of an action")
        verbose_name_plural = _("rows of actions")
        constraints = [
            models.UniqueConstraint(
                fields=["action", "number"], name="one_bulk_action_row_per_number"
            ),
            models.UniqueConstraint(
                fields=["action", "object_id"], name="one_bulk_action_row_per_object"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action_id} – {self.number}"

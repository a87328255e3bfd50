"""Many invitations made with one form: links by number, or e-mails by a list of people."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from audit.models import actor_key
from partners.enums import AssociationType, BatchState, Channel
from partners.models.invitations import Invitation
from partners.models.members import PartnerMember
from partners.models.partners import Partner
from partners.models.terms import TermsModel, terms_constraints
from web.random_ids import RandomIdField


class InvitationBatchQuerySet(models.QuerySet["InvitationBatch"]):
    """Named sets of batches."""

    def in_state(self, state: str) -> "InvitationBatchQuerySet":
        if state == BatchState.RUNNING:
            return self.running()
        if state in {BatchState.FINISHED, BatchState.CANCELLED}:
            return self.filter(**{f"{state}_at__isnull": False})
        return self.filter(started_at__isnull=True, cancelled_at__isnull=True)

    def running(self) -> "InvitationBatchQuerySet":
        return self.filter(
            started_at__isnull=False, finished_at__isnull=True, cancelled_at__isnull=True
        )

    def undiscarded(self) -> "InvitationBatchQuerySet":
        """All but the lists that were given up before anybody was mailed."""
        return self.exclude(started_at__isnull=True, cancelled_at__isnull=False)

    def lock_next(self, channel: str) -> "InvitationBatch | None":
        """Lock the running batch that was started first, of those that no other worker locks."""
        running = self.running().filter(channel=channel).order_by("started_at", "pk")
        rows = running.select_related("partner", "created_by")
        return rows.select_for_update(skip_locked=True, of=("self",)).first()

    def called(self, text: str) -> "InvitationBatchQuerySet":
        """Batches with this text in their name or label."""
        return self.filter(Q(name__icontains=text) | Q(label__icontains=text))

    def visible_to(self, member: PartnerMember) -> "InvitationBatchQuerySet":
        rows = self.filter(partner=member.partner_id)
        return rows if member.is_administrator else rows.filter(created_by=member.user_id)


class InvitationBatch(TermsModel):
    """What the invitations of one form share, and how far the worker has come with them.

    A batch of e-mails is a draft until it is started. Of `size` rows `done_count` are done, and of
    those `refused_count` got no invitation. Cancelling leaves what is done.
    """

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="batches", verbose_name=_("partner")
    )
    channel = models.CharField(_("channel"), max_length=8, choices=Channel.choices)
    association_type = models.CharField(
        _("association type"), max_length=16, choices=AssociationType.choices
    )
    label = models.CharField(_("label"), max_length=120)
    # What the partner calls the batch since it was renamed; the label stays that of its links.
    name = models.CharField(_("name"), max_length=120, blank=True, default="", db_default="")
    subject = models.CharField(_("subject of the mail"), max_length=150, blank=True)
    note = models.CharField(_("note to the customer"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=16, blank=True)
    country = CountryField(_("preselected country or region"), blank=True)
    is_bound = models.BooleanField(_("only for the recipient"), default=False)
    max_uses = models.PositiveIntegerField(_("most uses"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    size = models.PositiveIntegerField(_("size"))
    done_count = models.PositiveIntegerField(_("done"), default=0)
    refused_count = models.PositiveIntegerField(_("refused"), default=0)
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancelled_by = actor_key(_("cancelled by"))
    # A code of `InvitationProblem`: why the worker could not go on, and cancelled by itself.
    stop_reason = models.CharField(_("reason for stopping"), max_length=40, blank=True)
    # How a list was read: `ListReading`, for the page that reports on it.
    reading = models.JSONField(_("how the list was read"), null=True, blank=True)

    objects = InvitationBatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [
            models.Index(fields=["partner", "-created_at", "-id"], name="batch_by_partner"),
            models.Index(
                fields=["started_at"],
                condition=Q(finished_at__isnull=True, cancelled_at__isnull=True),
                name="batch_running",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_count__lte=F("size"), refused_count__lte=F("done_count")),
                name="batch_does_no_more_than_its_size",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True)
                | Q(started_at__isnull=False, done_count=F("size")),
                name="batch_is_finished_when_all_is_done",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(cancelled_at__isnull=True),
                name="batch_is_finished_or_cancelled",
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=False) | Q(cancelled_by__isnull=True),
                name="batch_is_cancelled_by_someone_only_when_cancelled",
            ),
            models.CheckConstraint(
                condition=Q(stop_reason="")
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=True),
                name="batch_stops_for_a_reason_only_by_itself",
            ),
            *terms_constraints("batch"),
        ]

    def __str__(self) -> str:
        return self.name or self.label

    @property
    def title(self) -> str:
        """The name, else the label as people read it: with the numbers that its links carry."""
        return self.name or self.label.replace("{n}", f"1\u2013{self.size}")

    @property
    def made_count(self) -> int:
        return self.done_count - self.refused_count

    @property
    def state(self) -> BatchState:
        if self.cancelled_at is not None:
            return BatchState.CANCELLED
        if self.finished_at is not None:
            return BatchState.FINISHED
        return BatchState.DRAFT if self.started_at is None else BatchState.RUNNING


HAS_TEXT = ~Q(name="") | ~Q(email="") | ~Q(country="") | ~Q(note="") | ~Q(reference="")


class BatchRowQuerySet(models.QuerySet["BatchRow"]):
    """Named sets of rows."""

    def named(self) -> "BatchRowQuerySet":
        """Rows that still say something about a person."""
        return self.filter(HAS_TEXT)


class BatchRow(models.Model):
    """One person of a list; `problem` says why there is no invitation for them.

    A row of the file can have several people. A row with a problem is stored as typed; `remark` is
    a code of `RowRemark`.
    """

    batch = models.ForeignKey(
        InvitationBatch,
        on_delete=models.PROTECT,
        related_name="rows",
        verbose_name=_("batch"),
    )
    number = models.PositiveIntegerField(_("number in the list"))
    # None in lists that were read when each row was one person: it is the number then.
    row_number = models.PositiveIntegerField(_("row of the file"), null=True, blank=True)
    name = models.TextField(_("name"), blank=True)
    email = models.TextField(_("e-mail"), blank=True)
    country = models.TextField(_("country or region"), blank=True)
    note = models.TextField(_("note"), blank=True)
    reference = models.TextField(_("reference"), blank=True, default="", db_default="")
    problem = models.CharField(_("problem"), max_length=40, blank=True)
    remark = models.CharField(_("remark"), max_length=40, blank=True, default="", db_default="")
    invitation = models.OneToOneField(
        Invitation,
        on_delete=models.PROTECT,
        related_name="batch_row",
        null=True,
        blank=True,
        verbose_name=_("invitation"),
    )

    objects = BatchRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("row of a batch")
        verbose_name_plural = _("rows of batches")
        # What `forget_listed_people()` looks for.
        indexes = [
            models.Index(
                fields=["batch"],
                condition=HAS_TEXT,
                name="batch_row_with_texts",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "number"], name="one_batch_row_per_batch_and_number"
            ),
            models.CheckConstraint(
                condition=Q(invitation__isnull=True) | Q(problem=""),
                name="batch_row_has_an_invitation_or_a_problem",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} – {self.number}"

    @property
    def shown_row(self) -> int:
        """The row of the file, as a spreadsheet numbers it."""
        return self.row_number or self.number

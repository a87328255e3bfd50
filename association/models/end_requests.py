"""Requests to end an association, and what the other side answered."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from association.enums import EndAnswer, Side
from association.models.associations import Association
from audit.models import actor_key
from web.random_ids import RandomIdField

_OPEN = Q(
    answer="",
    answering_side="",
    answer_reason="",
    answered_at__isnull=True,
    answered_by__isnull=True,
)
_BY_THE_ASKING_SIDE = Q(answer=EndAnswer.WITHDRAWN, answering_side=F("asking_side"))
_BY_ANOTHER_SIDE = Q(answer__in=[EndAnswer.AGREED, EndAnswer.DECLINED, EndAnswer.CLOSED]) & ~Q(
    answering_side=F("asking_side")
)


class EndRequestQuerySet(models.QuerySet["EndRequest"]):
    """Named sets of requests to end."""

    def open(self) -> "EndRequestQuerySet":
        return self.filter(answered_at__isnull=True)


class EndRequest(models.Model):
    """One side asked to end an association. Only `services/endings.py` writes it."""

    id = RandomIdField()
    association = models.ForeignKey(
        Association,
        on_delete=models.PROTECT,
        related_name="end_requests",
        verbose_name=_("association"),
    )
    asking_side = models.CharField(_("asked by side"), max_length=16, choices=Side.choices[:2])
    reason = models.CharField(_("reason"), max_length=256)
    asked_at = models.DateTimeField(_("asked at"))
    asked_by = actor_key(_("asked by"))
    answer = models.CharField(_("answer"), max_length=16, choices=EndAnswer.choices, blank=True)
    answering_side = models.CharField(
        _("answered by side"), max_length=16, choices=Side.choices, blank=True
    )
    answer_reason = models.CharField(_("reason for the answer"), max_length=256, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    answered_by = actor_key(_("answered by"))

    objects = EndRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("end request")
        verbose_name_plural = _("end requests")
        indexes = [
            # What waits for an answer, oldest first.
            models.Index(
                fields=["asked_at"],
                condition=Q(answered_at__isnull=True),
                name="open_end_request_by_moment",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["association"],
                condition=Q(answered_at__isnull=True),
                name="one_open_end_request_per_association",
            ),
            models.CheckConstraint(
                condition=Q(asking_side__in=[Side.CUSTOMER, Side.PARTNER]) & ~Q(reason=""),
                name="end_request_has_a_side_and_a_reason",
            ),
            models.CheckConstraint(
                condition=_OPEN
                | Q(answered_at__gte=F("asked_at"), answering_side__in=Side.values)
                & (_BY_THE_ASKING_SIDE | _BY_ANOTHER_SIDE),
                name="end_request_is_open_or_answered_by_the_right_side",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.association} – {self.get_answer_display() or _('open')}"

    @property
    def is_open(self) -> bool:
        return self.answered_at is None

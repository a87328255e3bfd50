"""Events: what happened, as the systems of the provider and of partners read it."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import AppendOnlyModel, AppendOnlyQuerySet
from web.random_ids import RandomIdField


class EventQuerySet(AppendOnlyQuerySet):
    """Named sets of events."""

    def unnumbered(self) -> "EventQuerySet":
        return self.filter(position__isnull=True)

    def after(self, position: int) -> "EventQuerySet":
        """Return the events behind this position, in the order in which readers page."""
        return self.filter(position__gt=position).order_by("position")


class Event(AppendOnlyModel):
    """Something that happened, written in the transaction in which it happened.

    It names its object by label and id, and `data` has only ids, codes and keys of other systems.
    The worker gives committed events their position (`number_events()`): readers page by it, so
    they miss no event whose transaction began early and committed late.
    """

    id = RandomIdField()
    position = models.BigIntegerField(_("position"), null=True, blank=True, unique=True)
    kind = models.CharField(_("kind"), max_length=64)
    # The partner that reads it too; null: only the provider does.
    partner_id = models.BigIntegerField(_("partner"), null=True, blank=True)
    object_label = models.CharField(_("object"), max_length=80)
    object_id = models.CharField(_("object id"), max_length=64)
    occurred_at = models.DateTimeField(_("occurred at"))
    data = models.JSONField(_("data"), default=dict, blank=True, encoder=DjangoJSONEncoder)

    objects = EventQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            # What `number_events()` looks for, in its order.
            models.Index(
                fields=["occurred_at", "id"],
                condition=Q(position__isnull=True),
                name="event_without_position",
            ),
            models.Index(
                fields=["partner_id", "position"],
                condition=Q(partner_id__isnull=False, position__isnull=False),
                name="event_by_partner",
            ),
            # A rare kind: without these a feed with the filter would read all other events.
            models.Index(
                fields=["kind", "position"],
                condition=Q(position__isnull=False),
                name="event_feed_of_kind",
            ),
            models.Index(
                fields=["partner_id", "kind", "position"],
                condition=Q(partner_id__isnull=False, position__isnull=False),
                name="event_feed_of_partner_and_kind",
            ),
            models.Index(fields=["object_label", "object_id"], name="event_by_object"),
            models.Index(fields=["kind", "occurred_at"], name="event_by_kind"),
            models.Index(fields=["occurred_at"], name="event_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(position__isnull=True) | Q(position__gte=1),
                name="event_positions_begin_with_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_label}:{self.object_id}"


class EventCounter(models.Model):
    """The last position that was given: a row of its own, because old events are deleted."""

    last_position = models.BigIntegerField(_("last position"), default=0)

    class Meta:
        verbose_name = _("counter of events")
        verbose_name_plural = _("counters of events")
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_counter_of_events"),
        ]

    def __str__(self) -> str:
        return str(self.last_position)

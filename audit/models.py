"""The audit trail, whose rows are only added; the actors that it names; and the work on evidence.

Triggers keep the rows from being changed or deleted (`audit/evidence.py`).
"""

from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.db.models.fields.related import ForeignKey
    from django_stubs_ext import StrPromise

# Who does something: a user, or None for the system (a command or the worker).
Actor = AbstractBaseUser | None


def actor_key(verbose_name: "StrPromise", *, db_index: bool = True) -> "ForeignKey[Any, Any]":
    """Return a foreign key to the user who acted; null for the system. It blocks their deletion."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_index=db_index,
        verbose_name=verbose_name,
    )


class AppendOnlyError(Exception):
    """Code tried to change or delete evidence."""


class AppendOnlyQuerySet(models.QuerySet[Any]):
    """Rows that can be added and read only."""

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnlyError(self.model.__name__)

    def delete(self) -> NoReturn:
        raise AppendOnlyError(self.model.__name__)


class AppendOnlyModel(models.Model):
    """Evidence: each row is written once."""

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(type(self).__name__)
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnlyError(type(self).__name__)


class AuditEvent(AppendOnlyModel):
    """One action. It names its object by label and id, so that it outlives the object."""

    occurred_at = models.DateTimeField(_("occurred at"))
    actor = actor_key(_("actor"))
    # The key of the organisation for which the actor acted, or null: it has a list of its own.
    acted_for = models.BigIntegerField(_("acted for"), null=True, blank=True)
    action = models.CharField(_("action"), max_length=64)
    object_label = models.CharField(_("object"), max_length=80)
    object_id = models.CharField(_("object id"), max_length=64)
    before = models.JSONField(_("before"), null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, blank=True, encoder=DjangoJSONEncoder)
    network_address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    request_id = models.CharField(_("request id"), max_length=32, blank=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        indexes = [
            models.Index(fields=["object_label", "object_id"], name="audit_by_object"),
            models.Index(fields=["-occurred_at"], name="audit_by_moment"),
            models.Index(
                fields=["acted_for", "occurred_at", "id"],
                condition=models.Q(acted_for__isnull=False),
                name="audit_by_organisation",
            ),
            # Who or what is rare: without these a filter would read all of the organisation's.
            models.Index(
                fields=["acted_for", "actor", "occurred_at", "id"],
                condition=models.Q(acted_for__isnull=False),
                name="audit_by_org_and_actor",
            ),
            models.Index(
                fields=["acted_for", "action", "occurred_at", "id"],
                condition=models.Q(acted_for__isnull=False),
                name="audit_by_org_and_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}:{self.object_id}"


class Erasure(models.Model):
    """An erasure that is running: while the row exists, its pseudonym may enter audit events.

    The row never outlives its transaction, so no other transaction sees it
    (`audit/retention.py`).
    """

    pseudonym = models.CharField(_("pseudonym"), max_length=40)

    class Meta:
        verbose_name = _("running erasure")
        verbose_name_plural = _("running erasures")

    def __str__(self) -> str:
        return self.pseudonym


class ShorteningProgress(models.Model):
    """Up to which row, in the order of their moments, a model's network addresses are shortened."""

    model_label = models.CharField(_("model"), max_length=80, unique=True)
    last_moment = models.DateTimeField(_("moment of the last row"), null=True, blank=True)
    last_id = models.BigIntegerField(_("last row"), default=0)

    class Meta:
        verbose_name = _("progress of shortening")
        verbose_name_plural = _("progress of shortening")

    def __str__(self) -> str:
        return f"{self.model_label} {self.last_id}"

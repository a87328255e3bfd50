"""The keys of forms that were sent."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST_ANSWER_URL = 500


class FormKey(models.Model):
    """One form that a user sent, with a hash of its content and the address it was answered with.

    Written in the transaction of the action. A second row with the same key is impossible, so a
    repeated submit finds the first answer instead of acting again (`web/form_keys.py`).
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        verbose_name=_("user"),
    )
    path = models.CharField(_("path"), max_length=200)
    key = models.CharField(_("key"), max_length=32)
    content_hash = models.CharField(_("hash of the content"), max_length=64)
    answer_url = models.CharField(
        _("address of the answer"), max_length=LONGEST_ANSWER_URL, blank=True
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("form key")
        verbose_name_plural = _("form keys")
        indexes = [models.Index(fields=["created_at"], name="form_key_by_age")]
        constraints = [
            models.UniqueConstraint(fields=["user", "path", "key"], name="form_key_used_once"),
        ]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"

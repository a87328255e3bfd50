"""API keys, and the answers that repeated calls get again."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit.models import actor_key
from partners.models import Partner
from web.random_ids import RandomIdField

LONGEST_IDEMPOTENCY_KEY = 255


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Named sets of keys."""

    def live(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)

    def ended(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))

    def live_after(self, moment: datetime) -> "ApiKeyQuerySet":
        """Return those that were not revoked and had not expired at this moment."""
        return self.exclude(revoked_at__lte=moment).filter(expires_at__gt=moment)


class ApiKey(models.Model):
    """A partner's key to the API. The secret is shown once; only its SHA-256 is stored.

    It acts as `user`, and its rights end with its own expiry or revocation.
    """

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="api_keys", verbose_name=_("partner")
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_key",
        verbose_name=_("acts as"),
    )
    name = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(_("scopes"), default=list)
    secret_hash = models.CharField(
        _("SHA-256 of the secret"), max_length=64, unique=True, editable=False
    )
    # The last letters of the secret, by which people tell keys apart.
    ending = models.CharField(_("ends with"), max_length=4, editable=False)
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))
    expires_at = models.DateTimeField(_("expires at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    revoked_by = actor_key(_("revoked by"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        indexes = [
            models.Index(fields=["partner", "-created_at", "-id"], name="api_key_by_partner"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="api_key_expires_after_its_making"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} …{self.ending}"

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at


class IdempotentAnswer(models.Model):
    """The answer to a call with an Idempotency-Key, made in the transaction of its effect."""

    api_key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", verbose_name=_("API key")
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=LONGEST_IDEMPOTENCY_KEY)
    request_hash = models.CharField(_("hash of the call"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"), default=0)
    body = models.TextField(_("body"), blank=True)
    created_at = models.DateTimeField(_("created at"), db_index=True)

    class Meta:
        verbose_name = _("idempotent answer")
        verbose_name_plural = _("idempotent answers")
        constraints = [
            models.UniqueConstraint(
                fields=["api_key", "idempotency_key"], name="one_answer_per_idempotency_key"
            ),
        ]

    def __str__(self) -> str:
        return self.idempotency_key

"""API keys, the answers that repeated calls get again, webhook endpoints and deliveries."""

from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.db.models.lookups import Contains
from django.utils.translation import gettext_lazy as _

from audit.models import actor_key
from integration.enums import DeliveryError, DeliveryStatus, DisabledReason
from partners.enums import EventKind
from partners.models import Partner
from web.random_ids import RandomIdField

LONGEST_IDEMPOTENCY_KEY = 255
LONGEST_SUBJECT = 255


# The row of a program that sends tokens has no end: each of its tokens has.
NEVER_ENDS = Q(expires_at__isnull=True)


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Named sets of keys."""

    def live(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(NEVER_ENDS | Q(expires_at__gt=now), revoked_at__isnull=True)

    def ended(self, now: datetime) -> "ApiKeyQuerySet":
        return self.filter(Q(revoked_at__isnull=False) | Q(expires_at__lte=now))

    def live_after(self, moment: datetime) -> "ApiKeyQuerySet":
        """Return those that were not revoked and had not expired at this moment."""
        ended_later = Q(revoked_at__isnull=True) | Q(revoked_at__gt=moment)
        return self.filter(ended_later, NEVER_ENDS | Q(expires_at__gt=moment))

    def with_secret(self) -> "ApiKeyQuerySet":
        return self.filter(subject="")


class ApiKey(models.Model):
    """A key to the API. The secret is shown once; only its SHA-256 is stored.

    It acts as `user`, and its rights end with its own expiry or revocation. A row with a subject is
    a program of the provider that sends tokens of the issuer in place of a secret: each token has
    its own scopes and its own end, and the row can be revoked as a key.
    """

    id = RandomIdField()
    # Empty: a key of the provider.
    partner = models.ForeignKey(
        Partner,
        on_delete=models.PROTECT,
        related_name="api_keys",
        null=True,
        blank=True,
        verbose_name=_("partner"),
    )
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="api_key",
        verbose_name=_("acts as"),
    )
    name = models.CharField(_("name"), max_length=80)
    scopes = models.JSONField(_("scopes"), default=list)
    secret_hash = models.CharField(  # noqa: DJ001 - two empty texts would not be unique
        _("SHA-256 of the secret"), max_length=64, unique=True, null=True, editable=False
    )
    # The last letters of the secret, by which people tell keys apart.
    ending = models.CharField(_("ends with"), max_length=8, blank=True, editable=False)
    issuer = models.CharField(
        _("issuer of tokens"), max_length=200, blank=True, default="", db_default="", editable=False
    )
    subject = models.CharField(
        _("subject of tokens"),
        max_length=LONGEST_SUBJECT,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
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
            # The text of a list of scopes; SQLite has no operator that looks into JSON.
            models.CheckConstraint(
                condition=Q(partner__isnull=True)
                | ~Q(Contains(Cast("scopes", models.TextField()), '"provider:')),
                name="partner_key_has_no_scope_of_the_provider",
            ),
            models.CheckConstraint(
                condition=Q(
                    issuer="", subject="", secret_hash__isnull=False, expires_at__isnull=False
                )
                | Q(partner__isnull=True, secret_hash__isnull=True, expires_at__isnull=True)
                & ~Q(issuer="")
                & ~Q(subject=""),
                name="api_key_has_a_secret_or_a_subject",
            ),
            models.UniqueConstraint(
                fields=["issuer", "subject"],
                condition=~Q(subject=""),
                name="one_api_key_per_subject_of_an_issuer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} …{self.ending}" if self.ending else self.name

    @property
    def is_stored(self) -> bool:
        """Whether it has a row; its random id is there before."""
        return not self._state.adding

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class IdempotentAnswer(models.Model):
    """The answer to a call with an Idempotency-Key, made in the transaction of its effect."""

    api_key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", verbose_name=_("API key")
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=LONGEST_IDEMPOTENCY_KEY)
    request_hash = models.CharField(_("hash of the call"), max_length=64)
    status = models.PositiveSmallIntegerField(_("status"), default=0)
    # It may have a secret in it, and has addresses.
    sealed_body = models.TextField(_("encrypted body"), blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_index=True)

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [
            models.UniqueConstraint(
                fields=["api_key", "idempotency_key"], name="one_answer_per_idempotency_key"
            ),
        ]

    def __str__(self) -> str:
        return self.idempotency_key


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    """Named sets of endpoints."""

    def on(self) -> "WebhookEndpointQuerySet":
        return self.filter(disabled_at__isnull=True)


class WebhookEndpoint(models.Model):
    """Where events of a partner are sent, one after the other in the order of the feed.

    `position` is that of the last event that was delivered. While a worker sends one,
    `next_try_at` is the moment until which no other worker takes the endpoint.
    """

    id = RandomIdField()
    partner = models.ForeignKey(
        Partner, on_delete=models.PROTECT, related_name="endpoints", verbose_name=_("partner")
    )
    url = models.CharField(_("URL"), max_length=500)
    description = models.CharField(_("description"), max_length=120, blank=True)
    # Empty: events of all kinds.
    event_types = models.JSONField(_("kinds of events"), default=list, blank=True)
    sealed_secret = models.TextField(_("encrypted secret"), editable=False)
    sealed_former_secret = models.TextField(
        _("encrypted former secret"), blank=True, editable=False
    )
    former_secret_ends_at = models.DateTimeField(_("former secret ends at"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True)
    disabled_reason = models.CharField(
        _("reason"), max_length=12, choices=DisabledReason.choices, blank=True
    )
    position = models.BigIntegerField(_("position of the last event delivered"))
    next_try_at = models.DateTimeField(_("next try at"))
    failed_tries = models.PositiveIntegerField(_("failed tries"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    failure_told_at = models.DateTimeField(_("failure told at"), null=True, blank=True)
    # The last answer failed or was slow: such endpoints never take all places of a worker.
    is_slow = models.BooleanField(_("slow"), default=False)
    created_at = models.DateTimeField(_("created at"))
    created_by = actor_key(_("created by"))

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        indexes = [
            models.Index(fields=["partner", "created_at", "id"], name="endpoint_by_partner"),
            models.Index(
                fields=["next_try_at"],
                condition=Q(disabled_at__isnull=True),
                name="endpoint_by_next_try",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_at__isnull=True, disabled_reason="")
                | (Q(disabled_at__isnull=False) & ~Q(disabled_reason="")),
                name="disabled_endpoint_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(failing_since__isnull=True, failed_tries=0)
                | Q(failing_since__isnull=False, failed_tries__gt=0),
                name="failing_endpoint_counts_its_tries",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def event_labels(self) -> list[str]:
        return [_label_of(kind) for kind in self.event_types]

    @property
    def name(self) -> str:
        """Return what people call it. The path of a URL may contain a secret of the receiver."""
        return self.description or urlsplit(self.url).netloc

    @property
    def is_on(self) -> bool:
        return self.disabled_at is None


def _label_of(event_kind: str) -> str:
    """Return what a kind of event is called; the code of one that is no longer published."""
    return str(dict(EventKind.choices).get(event_kind, event_kind))


class WebhookDelivery(models.Model):
    """One try to deliver an event; a replay or a test waits here until a worker sends it."""

    id = RandomIdField()
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        related_name="deliveries",
        verbose_name=_("webhook endpoint"),
    )
    # Without a foreign key: the log says what was sent, also when the event is deleted.
    event_id = models.BigIntegerField(_("event"))
    event_kind = models.CharField(_("kind"), max_length=64)
    attempt = models.PositiveIntegerField(_("try"))
    status = models.CharField(_("status"), max_length=12, choices=DeliveryStatus.choices)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True, blank=True)
    milliseconds = models.PositiveIntegerField(_("milliseconds"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=20, choices=DeliveryError.choices, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    # Of one that waits: when a worker takes it. Of one that failed: when the event is tried again.
    next_try_at = models.DateTimeField(_("next try at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), db_index=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="delivery_by_endpoint"),
            models.Index(
                fields=["next_try_at"], condition=Q(status="waiting"), name="delivery_that_waits"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="waiting", sent_at__isnull=True)
                | (~Q(status="waiting") & Q(sent_at__isnull=False)),
                name="delivery_is_sent_unless_it_waits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_kind} {self.event_id}"

    @property
    def event_label(self) -> str:
        return _label_of(self.event_kind)

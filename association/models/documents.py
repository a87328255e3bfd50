"""Legal documents in their versions, and the consents given to them."""

import hashlib

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerAccount
from association.enums import DocumentKind
from audit.models import AppendOnlyModel
from web.random_ids import RandomIdField


class LegalDocumentQuerySet(models.QuerySet["LegalDocument"]):
    """Named sets of documents."""

    def published(self) -> "LegalDocumentQuerySet":
        """Documents that are in force or were."""
        return self.filter(published_at__isnull=False)


class LegalDocument(models.Model):
    """One version of one document in one language: a draft, then published and never changed."""

    kind = models.CharField(_("document"), max_length=32, choices=DocumentKind.choices)
    language = models.CharField(_("language"), max_length=16)
    version = models.PositiveIntegerField(_("version"))
    title = models.CharField(_("title"), max_length=160)
    body = models.TextField(_("text"), help_text=_("CommonMark; HTML is shown as text."))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    objects = LegalDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("legal document")
        verbose_name_plural = _("legal documents")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "language", "version"],
                name="one_legal_document_per_kind_language_and_version",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="document_version_is_counted"),
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values), name="document_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.version} ({self.language})"

    def text(self, provider_name: str = "") -> str:
        """Return the text as its readers see it, by default with the provider's name of today."""
        return self.body.replace("{provider}", provider_name or settings.PROVIDER_NAME)

    def text_sha256(self, provider_name: str = "") -> str:
        """Return the SHA-256 of the text's UTF-8 bytes."""
        return hashlib.sha256(self.text(provider_name).encode()).hexdigest()


class Consent(AppendOnlyModel):
    """An account's agreement to a document: when, from which address, and to which words.

    The text's hash, the provider's name, the label and the language are those of the page. They are
    empty in consents from before they were stored; the receipt says so.
    """

    id = RandomIdField()
    account = models.ForeignKey(
        CustomerAccount,
        on_delete=models.PROTECT,
        related_name="consents",
        verbose_name=_("customer account"),
    )
    document = models.ForeignKey(
        LegalDocument,
        on_delete=models.PROTECT,
        related_name="consents",
        verbose_name=_("document"),
    )
    attempt = models.ForeignKey(
        "association.Attempt",
        on_delete=models.PROTECT,
        related_name="consents",
        null=True,
        blank=True,
        verbose_name=_("attempt"),
    )
    agreed_at = models.DateTimeField(_("agreed at"))
    network_address = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    text_sha256 = models.CharField(
        _("SHA-256 of the text"), max_length=64, blank=True, db_default=""
    )
    # A published document names the provider by a placeholder, and the setting may change.
    provider_name = models.TextField(_("provider's name in the text"), blank=True, db_default="")
    label = models.TextField(_("label that was ticked"), blank=True, db_default="")
    language = models.CharField(_("language of the page"), max_length=16, blank=True, db_default="")

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(fields=["agreed_at"], name="consent_by_moment")]
        constraints = [
            models.UniqueConstraint(
                fields=["attempt", "document"], name="one_consent_per_attempt_and_document"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} – {self.document}"

    @property
    def text(self) -> str:
        """The text that was agreed to; `text_sha256` is the hash of its UTF-8 bytes.

        A consent without a hash has no provider's name either: its text has today's.
        """
        return self.document.text(self.provider_name)

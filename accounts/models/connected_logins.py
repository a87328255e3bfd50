"""Log-ins at issuers that users have connected with their account."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.issuers import LONGEST_ISSUER, Issuer, issuer_named
from web.random_ids import RandomIdField

# What OpenID Connect allows.
LONGEST_SUBJECT = 255


class ConnectedLogin(models.Model):
    """A log-in at an issuer that leads to this user.

    It is found by issuer and subject only. An e-mail address never finds it: addresses are given to
    other people, and an issuer may say of an address what it likes.
    """

    id = RandomIdField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="connected_logins",
        verbose_name=_("user"),
    )
    issuer = models.CharField(_("issuer"), max_length=LONGEST_ISSUER)
    subject = models.CharField(_("subject"), max_length=LONGEST_SUBJECT)
    connected_at = models.DateTimeField(_("connected at"))

    class Meta:
        verbose_name = _("connected log-in")
        verbose_name_plural = _("connected log-ins")
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="one_user_per_issuer_and_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.issuer_name

    @property
    def configured(self) -> Issuer | None:
        """The issuer, unless OIDC_PROVIDERS names it no more."""
        return issuer_named(self.issuer)

    @property
    def issuer_name(self) -> str:
        return self.configured.name if self.configured else self.issuer

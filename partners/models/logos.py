"""Logos of partners, in a table of their own: no query of partners reads pictures."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# Where pictures are, below the root; urls.py reads it too. The landing page has no time for
# `reverse()`.
LOGOS = "logo/"


class PartnerLogo(models.Model):
    """A logo as pages show it, and larger for link previews; never changed, only replaced.

    The key is the SHA-256 of both pictures and part of their URLs, so browsers may keep them for
    ever. Former logos stay: e-mails that were sent name them.
    """

    sha256 = models.CharField(_("SHA-256 of both pictures"), primary_key=True, max_length=64)
    picture = models.BinaryField(_("picture"), help_text=_("PNG, at most 320 × 96 pixels."))
    preview = models.BinaryField(_("picture for link previews"), help_text=_("PNG, 600 × 315."))
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("partner logo")
        verbose_name_plural = _("partner logos")

    def __str__(self) -> str:
        return self.sha256[:12]


def logo_path(sha256: str | None) -> str:
    """Return the path of the picture on this site; "" for no logo."""
    return f"/{LOGOS}{sha256}.png" if sha256 else ""


def preview_path(sha256: str | None) -> str:
    """Return the path of the larger picture, for link previews; "" for no logo."""
    return f"/{LOGOS}{sha256}/preview.png" if sha256 else ""

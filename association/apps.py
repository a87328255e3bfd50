"""The association app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AssociationConfig(AppConfig):
    """The story."""

    name = "association"
    verbose_name = _("Association")

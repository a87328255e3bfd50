"""The partners app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    """By whom."""

    name = "partners"
    verbose_name = _("Partners")

    def ready(self) -> None:
        """Register the system checks."""
        from partners import checks  # noqa: F401 - importing registers them

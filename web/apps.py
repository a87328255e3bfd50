"""The app `web`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    """What all pages share."""

    name = "web"
    verbose_name = _("Web")

    def ready(self) -> None:
        """Register the system checks."""
        from web import checks  # noqa: F401 - importing registers them

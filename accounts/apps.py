"""The accounts app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who."""

    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Register the system checks."""
        from accounts import checks  # noqa: F401 - importing registers them

"""How Django's admin is started here."""

from django.contrib.admin.apps import AdminConfig


class ProviderAdminConfig(AdminConfig):
    """The admin with our site: log-in through allauth, second factor, no bulk deletion."""

    default_site = "config.admin.ProviderAdminSite"

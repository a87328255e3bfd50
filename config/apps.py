"""Django's admin with our own site."""

from django.contrib.admin.apps import AdminConfig


class ProviderAdminConfig(AdminConfig):
    default_site = "config.admin.ProviderAdminSite"

"""The association app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AssociationConfig(AppConfig):
    """The story."""

    name = "association"
    verbose_name = _("Association")

    def ready(self) -> None:
        """Have the shipped documents loaded after every migration, as Django does its own rows."""
        from association.services.documents import load_shipped_documents

        post_migrate.connect(load_shipped_documents, sender=self)

"""The association app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AssociationConfig(AppConfig):
    """The story."""

    name = "association"
    verbose_name = _("Associations")

    def ready(self) -> None:
        """Load shipped documents after every migration; follow account names and freezes."""
        from accounts.services.account_names import call_after_renaming
        from accounts.services.freezes import call_after_freezing
        from association.services.customer_names import refresh_names_of
        from association.services.customer_status import refresh_status
        from association.services.documents import load_shipped_documents

        call_after_renaming(refresh_names_of)
        call_after_freezing(refresh_status)
        post_migrate.connect(load_shipped_documents, sender=self)

"""The app `demo`: its documents are older than its history."""

from datetime import timedelta
from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# The customers of the history agree to what was published before they came.
AGE_OF_DOCUMENTS = timedelta(days=15)


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = _("Demo")

    def ready(self) -> None:
        # The demo is the first app, so this runs before the receiver of the app itself: a published
        # document cannot be changed any more.
        post_migrate.connect(load_older_documents, sender=apps.get_app_config("association"))


def load_older_documents(**_signal: Any) -> None:
    from association.services.documents import load_shipped_documents

    load_shipped_documents(published_at=timezone.now() - AGE_OF_DOCUMENTS)

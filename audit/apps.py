"""The app `audit`."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

from web.origin import shortened_address


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("Audit trail")

    def ready(self) -> None:
        connection_created.connect(add_function_of_triggers)


def add_function_of_triggers(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Give SQLite the function that the triggers of `audit/evidence.py` call."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "shortened_address", 1, shortened_address, deterministic=True
        )

"""Write the facts again that the console's lists derive from other rows."""

from typing import Any

from django.core.management.base import BaseCommand

from association.services.derived_facts import refresh_derived_facts


class Command(BaseCommand):
    """Repair what servers of an earlier version wrote while they ran beside new ones.

    Changes nothing where nothing differs; `check_invariants` says whether anything does.
    """

    help = "Write names, status, channel and type for lists again, after an upgrade."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(f"Looked at {refresh_derived_facts()} rows.")

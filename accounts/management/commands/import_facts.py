"""Import facts about customer accounts from a file of JSON lines."""

from typing import Any

from accounts.management.line_command import LineCommand
from accounts.services.facts_import import import_facts
from accounts.services.line_files import ImportReport


class Command(LineCommand):
    """Loads facts, all or none: a broken line is reported, and then nothing is written.

    Each line is an object with kind, source, external_id, account (name or e-mail address; for an
    enterprise_relation master and member) and the fields of its kind. Amounts are text with at
    most two places, moments ISO 8601 with their zone. Exit code 1 when any line is broken.
    Spending has its own command, record_spending.
    """

    help = "Import facts about customer accounts from a file of JSON lines (- for standard input)."

    def load(self, **options: Any) -> ImportReport:
        """Import the facts."""
        return import_facts(**options)

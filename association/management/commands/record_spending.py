"""Record what accounts have used, from a file of JSON lines."""

from typing import Any

from accounts.management.line_command import LineCommand
from accounts.services.line_files import ImportReport
from association.services.spending_records import record_spending


class Command(LineCommand):
    """Records spending, all or none: a broken line is reported, and then nothing is written.

    Each line is an object with source, external_id, account (name or e-mail address), amount (text
    with at most two places; a refund is below zero) and occurred_at (ISO 8601 with its zone, not
    ahead). The same source and external_id again corrects what was recorded. Exit code 1 when any
    line is broken.
    """

    help = "Record spending from a file of JSON lines (- for standard input)."
    loaded = "Spending"
    nothing = "Nothing was recorded."

    def load(self, **options: Any) -> ImportReport:
        """Record the spending."""
        return record_spending(**options)

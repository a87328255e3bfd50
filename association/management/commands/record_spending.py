"""Record what accounts have used, from a file of JSON lines."""

from accounts.management.line_command import LineCommand
from association.services.spending_records import record_spending


class Command(LineCommand):
    """Records spending, all or nothing.

    Each line is an object with source, external_id, account (name or e-mail address), amount (text
    with at most two decimal places; a refund is below zero) and occurred_at (ISO 8601 with its
    zone, not in the future). The same source and external_id again corrects what was recorded.
    """

    help = "Record spending from a file of JSON lines (- for standard input)."
    loaded = "Spending"
    nothing = "Nothing was recorded."

    load = staticmethod(record_spending)

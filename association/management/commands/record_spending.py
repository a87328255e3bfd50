"""Record what accounts have used, from a file of JSON lines or a cost file."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.management.base import CommandParser

from accounts.management.line_command import LineCommand
from accounts.services.fact_lines import MOST_LINES, ImportReport
from association.services.focus_costs import CostReport, record_focus_costs
from association.services.spending_records import record_spending


class Command(LineCommand):
    """Records spending, all or nothing.

    Each line is an object with source, external_id, account (name or e-mail address) or
    account_external_id (the provider's own key), amount (text with at most two decimal places; a
    refund is below zero) and occurred_at (ISO 8601 with its zone, not in the future). The same
    source and external_id again corrects what was recorded. A FOCUS file has whole days of an
    account; the same day again corrects its sum.
    """

    help = "Record spending from a file of JSON lines or a FOCUS cost file (- for standard input)."
    loaded = "Spending"
    nothing = "Nothing was recorded."

    about_file = (
        f"at most {MOST_LINES:,} JSON lines in UTF-8, or a cost file with at most {MOST_LINES:,} "
        "sums of an account and a day; - is standard input"
    )
    load = staticmethod(record_spending)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--format",
            choices=["lines", "focus"],
            default="lines",
            help="lines: JSON lines (the default); focus: FOCUS 1.0 to 1.2 as CSV",
        )
        parser.add_argument(
            "--source",
            default="focus",
            help="the source of the sums of a FOCUS file; two exports that have costs of the same "
            "accounts and days need two (the default is focus)",
        )

    def loader(self, options: dict[str, Any]) -> Callable[..., ImportReport]:
        if options["format"] == "focus":
            return partial(record_focus_costs, source=options["source"])
        return self.load

    def write_text(self, report: ImportReport, dry_run: bool) -> None:
        super().write_text(report, dry_run)
        if isinstance(report, CostReport) and not report.lines and not report.errors:
            self.stdout.write("The file has no rows below its header.")
        if isinstance(report, CostReport) and report.without_account:
            self.stdout.write(f"Rows of no sub account, left out: {report.without_account}.")

"""The shared part of the commands that load JSON lines: arguments, reading and the report."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.services.fact_lines import LONGEST_LINE, MOST_LINES, ImportReport


class LineCommand(BaseCommand):
    """Loads a file of JSON lines; if a line is rejected, writes nothing and ends with code 1."""

    # The first word of the report, and its last sentence when lines are rejected.
    loaded = "Facts"
    nothing = "Nothing was imported."
    about_file = f"at most {MOST_LINES:,} JSON lines in UTF-8; - is standard input"
    load: Callable[..., ImportReport]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help=self.about_file)
        parser.add_argument(
            "--dry-run", action="store_true", help="validate and report; write nothing"
        )
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        name, dry_run = options["file"], options["dry_run"]
        try:
            with nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb") as file:
                load = self.loader(options)
                report = load(lines=_lines(file), now=timezone.now(), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
        if options["json"]:
            errors = [{"line": row.line, "reason": row.reason} for row in report.errors]
            content = {**asdict(report), "errors": errors, "dry_run": dry_run}
            self.stdout.write(json.dumps(content))
        else:
            self.write_text(report, dry_run)
        if report.errors:
            rejected = f"{len(report.errors)} of {report.lines} lines are rejected."
            if not report.lines:
                # What is wrong with the first line of a cost file is so with all of it.
                rejected = "The file is rejected."
            raise CommandError(f"{rejected} {self.nothing}")

    def loader(self, _options: dict[str, Any]) -> Callable[..., ImportReport]:
        """Return what loads the lines, by the options of the command."""
        return self.load

    def write_text(self, report: ImportReport, dry_run: bool) -> None:
        """Write the report for a person to read."""
        for error in report.errors:
            self.stderr.write(f"Line {error.line}: {error.reason}")
        if not report.errors:
            verb = "Would be" if dry_run else self.loaded
            self.stdout.write(
                f"{verb} created: {report.created}, updated: {report.updated}, "
                f"unchanged: {report.unchanged}."
            )


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield each line; of one that is too long only the beginning, so that memory is bounded."""
    while line := file.readline(LONGEST_LINE + 2):
        yield line
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)

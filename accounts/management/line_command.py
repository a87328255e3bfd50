"""What the commands share that load a file of JSON lines: arguments, and how they report."""

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.services.line_files import ImportReport, LineReport


class LineCommand(BaseCommand):
    """Loads a file of JSON lines, all or none: `load()` does it.

    A broken line is reported, and then nothing is written. Exit code 1 when any line is broken.
    """

    # What was loaded, and what with a broken line was not.
    loaded = "Facts"
    nothing = "Nothing was imported."

    def load(
        self,
        *,
        file: IO[bytes],
        now: datetime,
        broken: Callable[[LineReport], None],
        dry_run: bool,
    ) -> ImportReport:
        """Load the file and return what was done."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and what is done with it."""
        parser.add_argument("file", metavar="FILE", help="JSON lines in UTF-8; - is standard input")
        parser.add_argument(
            "--dry-run", action="store_true", help="check and report; write nothing"
        )
        parser.add_argument("--json", action="store_true", help="report as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say line by line what is broken, or how many rows were written."""
        errors = _JsonErrors(self.stdout) if options["json"] else _TextErrors(self.stderr)
        with _opened(options["file"]) as file:
            report = self.load(
                file=file, now=timezone.now(), broken=errors.add, dry_run=options["dry_run"]
            )
        if options["json"]:
            errors.finish(report, options["dry_run"])
        elif not report.broken:
            verb = "Would be" if options["dry_run"] else self.loaded
            self.stdout.write(
                f"{verb} created: {report.created}, updated: {report.updated}, "
                f"unchanged: {report.unchanged}."
            )
        if report.broken:
            raise CommandError(
                f"{report.broken} of {report.lines} lines are broken. {self.nothing}"
            )


class _TextErrors:
    """Says each broken line as soon as it is found."""

    def __init__(self, out: Any) -> None:
        self._out = out

    def add(self, fault: LineReport) -> None:
        self._out.write(f"Line {fault.line}: {fault.reason}")

    def finish(self, report: ImportReport, dry_run: bool) -> None:
        """Nothing more to say."""


class _JsonErrors:
    """Writes one JSON object piece by piece, so that memory does not grow with the errors."""

    def __init__(self, out: Any) -> None:
        self._out = out
        self._between = '{"errors": ['

    def add(self, fault: LineReport) -> None:
        self._out.write(self._between + json.dumps(asdict(fault)), ending="")
        self._between = ",\n"

    def finish(self, report: ImportReport, dry_run: bool) -> None:
        """Close the list and add the numbers."""
        opening = '{"errors": [' if self._between.startswith("{") else ""
        numbers = json.dumps({**asdict(report), "dry_run": dry_run})
        self._out.write(f"{opening}], {numbers[1:]}")


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    """Open the file for two readings; what cannot be read twice is copied to disk first."""
    if name != "-":
        try:
            with Path(name).open("rb") as file:
                if file.seekable():
                    yield file
                    return
                with _copied(file) as copy:
                    yield copy
                return
        except OSError as error:
            raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    with _copied(sys.stdin.buffer) as copy:
        yield copy


@contextmanager
def _copied(file: IO[bytes]) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as copy:
        copyfileobj(file, copy)
        copy.seek(0)
        yield copy

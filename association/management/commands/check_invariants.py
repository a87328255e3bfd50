"""Recompute every invariant and say what breaks one."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from association.services.invariants.checking import find_violations


class Command(BaseCommand):
    """Check invariants I1 to I10 on the rows themselves; changes nothing.

    Prints objects by label and id, never an address. Ends with code 1 if any invariant is broken.
    """

    help = "Recompute the invariants; exit code 1 if any is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        found = list(find_violations())
        if options["json"]:
            self.stdout.write(json.dumps({"violations": [asdict(v) for v in found]}))
        elif found:
            for violation in found:
                self.stdout.write(f"{violation.invariant}  {violation.object}  {violation.detail}")
        else:
            self.stdout.write("All invariants hold.")
        if found:
            sys.exit(1)

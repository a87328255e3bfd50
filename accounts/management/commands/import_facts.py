"""Import facts about customer accounts from a file of JSON lines."""

from accounts.management.line_command import LineCommand
from accounts.services.facts_import import import_facts


class Command(LineCommand):
    """Imports facts, all or nothing; the same source and external_id again updates a fact.

    Each line is an object with kind, source, external_id, account (name or e-mail address; for an
    enterprise_relation master and member) and the fields of its kind. Amounts are text with at
    most two decimal places, moments are ISO 8601 with their zone.
    """

    help = "Import facts about customer accounts from a file of JSON lines (- for standard input)."

    load = staticmethod(import_facts)

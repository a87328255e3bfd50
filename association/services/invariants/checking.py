"""Every check, run on the same snapshot of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from association.services.associations import database_now
from association.services.invariants.associations import (
    evidence_is_complete,
    frozen_until_unfrozen,
    one_in_force,
)
from association.services.invariants.invitations import (
    made_while_live,
    used_as_often_as_counted,
)
from association.services.invariants.people import (
    addresses_are_canonical,
    addresses_are_proven,
    messages_come_to_an_end,
)
from association.services.invariants.related_rows import related_rows_agree
from association.services.invariants.trail import trail_equals_state
from association.services.invariants.violations import Violation


def find_violations() -> Iterator[Violation]:
    """Yield every violation, in the order of the invariants; writes nothing.

    The number of statements does not grow with the rows, except one for every 2,000 objects of the
    audit trail; rows are read as a stream.
    """
    with _snapshot():
        now = database_now()
        yield from used_as_often_as_counted()
        yield from one_in_force()
        yield from evidence_is_complete()
        yield from frozen_until_unfrozen()
        yield from addresses_are_proven()
        yield from made_while_live()
        yield from trail_equals_state()
        yield from messages_come_to_an_end(now)
        yield from addresses_are_canonical()
        yield from related_rows_agree()


@contextmanager
def _snapshot() -> Iterator[None]:
    """Let every statement see the same rows; on SQLite writers wait."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield

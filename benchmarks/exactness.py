"""Exactness under load: `max_uses`, and one association per person, counted in the rows.

Each run ends with the invariants of the whole database. Any wrong number ends the program.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from association.models import Association, Attempt
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from benchmarks.associations import make_attempts, make_partner, run
from outbox.models import OutboxMessage
from partners.models import Invitation, Partner

ATTEMPTS, MAX_USES, RUNS = 10_000, 100, 3
REPEATS = 200
THREADS = 32


def measure() -> Iterator[str]:
    partner = make_partner()
    for _ in range(RUNS):
        yield many_people(partner)
    yield one_person(partner)


def many_people(partner: Partner) -> str:
    """Let 10,000 attempts of as many accounts associate through one link for 100."""
    attempts = make_attempts(partner, ATTEMPTS, invitations=1, max_uses=MAX_USES)
    outcomes = Counter(outcome for outcome, _, _ in run(attempts, THREADS))
    check("outcomes", outcomes, {"associated": MAX_USES, "invitation_used_up": ATTEMPTS - MAX_USES})
    check_rows(attempts, MAX_USES)
    return (
        f"{ATTEMPTS:,} people, {THREADS} threads, max_uses={MAX_USES}: {MAX_USES} associations "
        f"({dict(outcomes)}), invariants clean."
    )


def one_person(partner: Partner) -> str:
    """Send the final step of one attempt 200 times."""
    (attempt,) = make_attempts(partner, 1, invitations=1)
    outcomes = Counter(outcome for outcome, _, _ in run([attempt] * REPEATS, THREADS))
    check("outcomes", outcomes, {"associated": REPEATS})
    check_rows([attempt], 1)
    return f"One person {REPEATS} times, {THREADS} threads: 1 association, invariants clean."


def check_rows(attempts: list[UUID], expected: int) -> None:
    """Compare every count that follows from the associations, then all invariants."""
    made = Association.objects.filter(attempt__in=attempts)
    keys = [str(key) for key in made.values_list("pk", flat=True)]
    events = AuditEvent.objects.filter(action="association.made", object_id__in=keys)
    emails = OutboxMessage.objects.filter(kind="association.associated", about_id__in=keys)
    invitation = Invitation.objects.get(attempts=Attempt.objects.get(pk=attempts[0]))
    check("associations", len(keys), expected)
    check("used_count", invitation.used_count, expected)
    check("audit events", events.count(), expected)
    check("e-mails", emails.count(), expected)
    check("violations", [str(violation) for violation in find_violations()], [])


def check(what: str, found: object, expected: object) -> None:
    if found != expected:
        sys.exit(f"{what}: {found} instead of {expected}")

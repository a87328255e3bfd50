"""Every check, on one snapshot of the database; I5, I8 and I9, about users and e-mails."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery

from accounts.models import User
from association.models import Association
from association.services.invariants.associations import (
    ended_wholly,
    evidence_is_complete,
    frozen_until_unfrozen,
    made_while_live,
    one_in_force,
    services_are_enabled,
    used_as_often_as_counted,
)
from association.services.invariants.derived_facts import (
    attempts_repeat_associations,
    attempts_repeat_invitations,
    status_is_derived,
)
from association.services.invariants.events import events_agree
from association.services.invariants.names import names_are_derived
from association.services.invariants.related_rows import related_rows_agree
from association.services.invariants.trail import trail_equals_state
from association.services.invariants.violations import (
    CHUNK,
    Violation,
    as_text,
    violations,
)
from outbox.models import UNDELIVERED_AT, OutboxMessage
from partners.enums import Channel
from partners.models import Invitation
from partners.services.quotas import EMAIL_KIND
from web.email_addresses import canonical_or_none
from web.locks import database_now


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
        yield from _addresses_are_proven()
        yield from made_while_live()
        yield from trail_equals_state()
        yield from _messages_come_to_an_end(now)
        yield from _undelivered_are_marked()
        yield from _addresses_are_canonical()
        yield from related_rows_agree()
        yield from services_are_enabled()
        yield from ended_wholly()
        yield from names_are_derived()
        yield from attempts_repeat_invitations()
        yield from attempts_repeat_associations()
        yield from status_is_derived()
        yield from events_agree()


@contextmanager
def _snapshot() -> Iterator[None]:
    """Let every statement see the same rows; on SQLite writers wait."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _addresses_are_proven() -> Iterator[Violation]:
    """I5: users who are associated, have logged in or can log in have a proven address.

    A user without an address in allauth cannot log in and is no violation.
    """
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"))
    proven = Exists(addresses.filter(verified=True))
    associated = Association.objects.in_force().filter(account__owner=OuterRef("pk"))
    unproven_customers = User.objects.filter(Exists(associated), ~proven)
    yield from violations("I5", unproven_customers, "is associated without a proven address")
    has_password = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    unproven = Q(Exists(addresses.filter(verified=False))) & has_password
    can_log_in = unproven | Q(last_login__isnull=False)
    users = User.objects.filter(can_log_in, ~proven, is_active=True)
    yield from violations("I5", users, "has a log-in without a proven address")


def _messages_come_to_an_end(now: datetime) -> Iterator[Violation]:
    """I8: every e-mail is sent, dropped or given up by its deadline."""
    late = OutboxMessage.objects.waiting().filter(deadline_at__lte=now)
    yield from violations("I8", late, "{} is past its deadline and still waiting", "kind")


def _undelivered_are_marked() -> Iterator[Violation]:
    """I8: an invitation says since when its newest e-mail will never arrive."""
    emails = OutboxMessage.objects.filter(
        about_label="partners.invitation", about_id=as_text("pk"), kind=EMAIL_KIND
    )
    newest = emails.order_by("-pk").values(undelivered=UNDELIVERED_AT)[:1]
    rows = Invitation.objects.filter(channel=Channel.EMAIL).annotate(ended_at=Subquery(newest))
    marked, ended = Q(undelivered_at__isnull=False), Q(ended_at__isnull=False)
    same = Q(undelivered_at=F("ended_at"))
    wrong = (marked & ~ended) | (~marked & ended) | (marked & ended & ~same)
    detail = "is undelivered since {}, its newest e-mail since {}"
    yield from violations("I8", rows.filter(wrong), detail, "undelivered_at", "ended_at")


def _addresses_are_canonical() -> Iterator[Violation]:
    """I9: one user per canonical address, and it is the canonical form of the one typed."""
    doubled = User.objects.order_by().values("email").annotate(n=Count("pk")).filter(n__gt=1)
    sharing = User.objects.filter(email__in=doubled.values("email"))
    yield from violations("I9", sharing, "shares its address with another user")
    users = User.objects.order_by().values_list("pk", "email", "email_original")
    for key, stored, typed in users.iterator(chunk_size=CHUNK):
        if canonical_or_none(typed) != stored:
            detail = "its address is not the canonical form of the one typed"
            yield Violation("I9", f"accounts.user:{key}", detail)

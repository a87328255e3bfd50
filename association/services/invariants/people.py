"""I5, I8 and I9: proven addresses, e-mails that end, canonical addresses."""

from collections.abc import Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Count, Exists, OuterRef, Q

from accounts.models import User
from association.models import Association
from association.services.invariants.violations import CHUNK, Violation, violations
from outbox.models import OutboxMessage
from web.email_addresses import InvalidAddress, canonical_address


def addresses_are_proven() -> Iterator[Violation]:
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


def messages_come_to_an_end(now: datetime) -> Iterator[Violation]:
    """I8: every e-mail is sent, dropped or given up by its deadline."""
    late = OutboxMessage.objects.waiting().filter(deadline_at__lte=now)
    yield from violations("I8", late, "{} is past its deadline and still waiting", "kind")


def addresses_are_canonical() -> Iterator[Violation]:
    """I9: one user per canonical address, and it is the canonical form of the one typed."""
    doubled = User.objects.order_by().values("email").annotate(n=Count("pk")).filter(n__gt=1)
    sharing = User.objects.filter(email__in=doubled.values("email"))
    yield from violations("I9", sharing, "shares its address with another user")
    users = User.objects.order_by().values_list("pk", "email", "email_original")
    for key, stored, typed in users.iterator(chunk_size=CHUNK):
        if _canonical(typed) != stored:
            detail = "its address is not the canonical form of the one typed"
            yield Violation("I9", f"accounts.user:{key}", detail)


def _canonical(typed: str) -> str | None:
    try:
        return canonical_address(typed)
    except InvalidAddress:
        return None

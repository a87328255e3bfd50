"""Old attempts without an account are deleted; old network addresses removed or shortened."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from association.models import Association, Attempt, Consent
from association.services.customer_names import editable_names, refresh_names
from audit.models import AuditEvent
from audit.retention import shorten_addresses
from audit.services import record_audit_events

ROWS_AT_ONCE = 500


def delete_abandoned_attempts(*, now: datetime) -> int:
    """Delete some attempts that never got an account; return how many.

    The browser that used one last has lost its cookie long before (`BROWSER_COOKIE_AGE`), unless it
    has begun others since: then it may have gone on with this one, too.
    """
    end = now - settings.RETENTION["ATTEMPTS"]
    with transaction.atomic():
        old = Attempt.objects.filter(
            Q(code_asked_at__isnull=True) | Q(code_asked_at__lte=end),
            Q(instructions_agreed_at__isnull=True) | Q(instructions_agreed_at__lte=end),
            account__isnull=True,
            started_at__lte=end,
        )
        locked = old.order_by("started_at").select_for_update(skip_locked=True)[:ROWS_AT_ONCE]
        attempts = {str(attempt.pk): attempt for attempt in locked}
        about = AuditEvent.objects.filter(object_label=Attempt._meta.label_lower)
        audited = about.filter(object_id__in=attempts).values_list("object_id", flat=True)
        changes = [(attempts[key], None, None) for key in sorted(set(audited))]
        record_audit_events(action="attempt.deleted", changes=changes, by=None, now=now)
        Attempt.objects.filter(pk__in=[attempt.pk for attempt in attempts.values()]).delete()
    return len(attempts)


def forget_addresses_of_attempts(*, now: datetime) -> int:
    """Remove the network addresses of some old attempts that led to an association.

    Its consents have them too, as evidence.
    """
    end = now - settings.RETENTION["NETWORK_ADDRESSES"]
    known = Q(instructions_network_address__isnull=False) | Q(letter_network_address__isnull=False)
    with transaction.atomic():
        old = Attempt.objects.filter(known, started_at__lte=end, association__isnull=False)
        locked = old.order_by("started_at").select_for_update(skip_locked=True, of=("self",))
        keys = [attempt.pk for attempt in locked[:ROWS_AT_ONCE]]
        Attempt.objects.filter(pk__in=keys).update(
            instructions_network_address=None, letter_network_address=None
        )
    return len(keys)


def forget_names_of_former_customers(*, now: datetime) -> int:
    """Remove what partners called customers whose association ended long ago; return how many.

    The reference, a key of the partner's own systems, stays.
    """
    end = now - settings.RETENTION["INVITATIONS"]
    with transaction.atomic():
        old = Association.objects.exclude(customer_name="", note="").filter(ended_at__lte=end)
        locked = old.select_related("account__owner").order_by("pk")
        rows = list(locked.select_for_update(skip_locked=True, of=("self",))[:ROWS_AT_ONCE])
        for row in rows:
            row.customer_name = row.note = ""
        Association.objects.bulk_update(rows, ["customer_name", "note"])
        refresh_names(rows)
        changes = [(row, None, editable_names(row)) for row in rows]
        record_audit_events(action="association.names_removed", changes=changes, by=None, now=now)
    return len(rows)


def shorten_addresses_of_consents(*, now: datetime) -> int:
    """Shorten the network addresses of some old consents; return how many rows were read."""
    return shorten_addresses(Consent, "agreed_at", now=now)

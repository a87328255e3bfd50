"""The suppression list: which addresses do not want which sender's e-mails."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from django.db import models, transaction
from django.db.models import QuerySet

from audit.services import record_audit_event
from outbox.models import Suppression
from web.fixed_queries import TEXT, fixed_query
from web.transactions import whole_transaction


def hash_of(address: str) -> str:
    """Return what is stored of a canonical address."""
    return hashlib.sha256(address.encode()).hexdigest()


@whole_transaction
def suppress(*, address_hash: str, sender: models.Model, now: datetime) -> None:
    """Send this address no more e-mails of the sender that it has not asked for.

    An e-mail that a worker is sending at this moment may still arrive; every other one that waits
    is dropped when it is its turn. A second time does nothing.
    """
    with transaction.atomic():
        row, is_new = Suppression.objects.get_or_create(
            address_hash=address_hash, **_names(sender), defaults={"created_at": now}
        )
        if is_new:
            after = _names(sender)
            record_audit_event(action="suppression.added", about=row, by=None, now=now, after=after)


@whole_transaction
def lift_suppression(*, address_hash: str, sender: models.Model, now: datetime) -> None:
    """Let the sender write to this address again; does nothing when the sender may."""
    with transaction.atomic():
        rows = Suppression.objects.filter(address_hash=address_hash, **_names(sender))
        for row in rows.select_for_update():
            before = _names(sender)
            record_audit_event(
                action="suppression.deleted", about=row, by=None, now=now, before=before
            )
            row.delete()


def suppressed_since(*, hashes: Collection[str], sender: models.Model) -> dict[str, datetime]:
    """Return which of these hashed addresses do not want the sender's e-mails; one statement."""
    rows = Suppression.objects.filter(address_hash__in=set(hashes), **_names(sender))
    return dict(rows.values_list("address_hash", "created_at"))


def is_suppressed(*, address: str, sender: models.Model) -> bool:
    """Return whether this canonical address does not want the sender's e-mails."""
    names = _names(sender)
    found = _suppressions.first(hash_of(address), names["sender_label"], names["sender_id"])
    return found is not None


# Asked for each of thousands of e-mails.
@fixed_query(TEXT, TEXT * 2, TEXT * 3)
def _suppressions(address_hash: str, label: str, key: str) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address_hash=address_hash, sender_label=label, sender_id=key)


def _names(sender: models.Model) -> dict[str, str]:
    return {"sender_label": sender._meta.label_lower, "sender_id": str(sender.pk)}

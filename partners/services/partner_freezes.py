"""The provider freezes a partner, which then cannot invite, and unfreezes it; members are told."""

import re
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from audit.services import moment_after_events, record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.enums import PartnerRefusal, PartnerStatus
from partners.models import Partner
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

# The name that `shown_freeze()` gives to what a page shows.
FREEZE_NAME = re.compile(r"partner-(\d+)")
_NOT_FROZEN = {
    "status": PartnerStatus.NORMAL,
    "frozen_at": None,
    "frozen_by": None,
    "frozen_reason": "",
}


@whole_transaction
def freeze_partner(
    *,
    partner: Partner,
    reason: str,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Partner:
    """Keep the partner from inviting, freezing and requesting authorizations; e-mail its members.

    Locks the partner. Raises Refused, FROZEN_ALREADY; ChangedMeanwhile if the version is not that
    of `shown_freeze()`.
    """
    with transaction.atomic():
        locked = _lock(partner)
        check_shown(shown_version, shown_freeze(locked))
        if locked.is_frozen:
            raise Refused(PartnerRefusal.FROZEN_ALREADY)
        now = moment_after_events(about=locked, now=now)
        frozen = {
            "status": PartnerStatus.FROZEN,
            "frozen_at": now,
            "frozen_by": by,
            "frozen_reason": reason,
        }
        _write(locked, frozen, action="partner.frozen", by=by, now=now)
        _email_members("partners.frozen", locked, now=now, frozen_at=now.isoformat())
    return locked


@whole_transaction
def unfreeze_partner(
    *,
    partner: Partner,
    reason: str,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Partner:
    """Let the partner do everything again; e-mail its members.

    Locks the partner. Raises Refused, NOT_FROZEN; ChangedMeanwhile if the version is not that of
    `shown_freeze()`.
    """
    with transaction.atomic():
        locked = _lock(partner)
        check_shown(shown_version, shown_freeze(locked))
        if locked.frozen_at is None:
            raise Refused(PartnerRefusal.NOT_FROZEN)
        # The clock was read before the lock; the partner may have been frozen meanwhile.
        now = max(now, locked.frozen_at)
        _write(
            locked, _NOT_FROZEN, action="partner.unfrozen", by=by, now=now, unfreeze_reason=reason
        )
        _email_members(
            "partners.unfrozen", locked, now=now, unfrozen_at=now.isoformat(), reason=reason
        )
    return locked


def shown_freeze(partner: Partner) -> dict[str, Any]:
    """Return what a page shows that freezes or unfreezes the partner: the present freeze."""
    shown = [partner.frozen_at, partner.frozen_reason] if partner.is_frozen else None
    return {f"partner-{partner.pk}": shown}


def _lock(partner: Partner) -> Partner:
    return Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)


def _write(
    locked: Partner, values: dict[str, Any], *, action: str, by: User, now: datetime, **more: str
) -> None:
    """Give the partner these values, with one audit event, in which `more` is told too."""
    before = _audited(locked)
    for name, value in values.items():
        setattr(locked, name, value)
    locked.save(update_fields=[*values, "updated_at"])
    after = _audited(locked) | more
    record_audit_event(action=action, about=locked, by=by, now=now, before=before, after=after)


def _audited(partner: Partner) -> dict[str, Any]:
    return {
        "status": str(partner.status),
        "frozen_at": partner.frozen_at and partner.frozen_at.isoformat(),
        "frozen_by": partner.frozen_by_id,
        "frozen_reason": partner.frozen_reason,
    }


def _email_members(kind: str, partner: Partner, *, now: datetime, **data: str) -> None:
    """Enqueue an e-mail to each member whose log-in is active, in the member's language."""
    members = User.objects.filter(partner_member__partner=partner, is_active=True).order_by("pk")
    messages = [
        OutgoingMessage(kind, user.email, partner, user.language, data, partner_id=partner.pk)
        for user in members
    ]
    enqueue_messages(messages=messages, now=now)

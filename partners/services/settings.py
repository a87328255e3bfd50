"""What a partner's administrators, or the provider's programs, decide for the organisation."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from audit.models import Actor
from audit.services import record_audit_event
from partners.models import Partner
from partners.services.partner_names import check_name, lock_names
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction


@whole_transaction
def edit_settings(
    *,
    partner: Partner,
    changes: Mapping[str, Any],
    by: Actor,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Partner:
    """Give these fields of the partner the values, with one audit event of those that change.

    Raises Refused with a NameRefusal for the name, and ChangedMeanwhile if the version is not
    that of `settings_of()` the same fields.
    """
    with transaction.atomic():
        if "name" in changes:
            lock_names()
        locked = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        before = settings_of(locked, changes)
        changed = [name for name, value in changes.items() if before[name] != value]
        if not changed:
            return locked
        check_shown(shown_version, before, about=locked)
        if "name" in changed:
            check_name(locked, changes["name"])
        for name in changed:
            setattr(locked, name, changes[name])
        locked.save(update_fields=[*changed, "updated_at"])
        record_audit_event(
            action="partner.settings_changed",
            about=locked,
            by=by,
            now=now,
            before={name: before[name] for name in changed},
            after={name: changes[name] for name in changed},
        )
    return locked


def settings_of(partner: Partner, names: Collection[str]) -> dict[str, Any]:
    """Return what the page shows of these fields; of a country its code."""
    values = {name: getattr(partner, name) for name in names}
    return values | {name: str(values[name]) for name in values if name == "country"}

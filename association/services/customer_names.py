"""What a partner calls its customers, and the texts by which the console sorts and searches them.

The names stand in several tables, some of them of other apps. Derived columns of the association
let a list of 200,000 customers use an index; `check_invariants` compares them (I13).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from association.enums import AssociationRefusal
from association.models import Association, Attempt
from audit.services import record_audit_event
from partners.models import Invitation
from web.folding import fold
from web.refused import Refused
from web.shown_versions import ShownVersion, check_shown
from web.transactions import whole_transaction

EDITABLE = ("customer_name", "reference", "note")
DERIVED = ("shown_name", "sort_name", "search_names", "search_address")


def derived_names(association: Association) -> dict[str, str]:
    """Return the derived texts by column; reads the account and its owner.

    The name shown is the partner's, else the account's, else the account name.
    """
    account, owner = association.account, association.account.owner
    shown = association.customer_name or account.name or owner.account_name
    texts = [shown, account.name, owner.account_name, association.reference]
    return {
        "shown_name": shown,
        "sort_name": shown.casefold()[:60],
        "search_names": fold("\n".join(dict.fromkeys(filter(None, texts)))),
        "search_address": owner.email,
    }


def person_behind(attempt: Attempt) -> str:
    """Return the name of the visitor, as of a customer; "" while no name is known.

    The account with its owner, the invitation and the association must be loaded.
    """
    association = getattr(attempt, "association", None)
    if association is not None:
        return str(association.shown_name)
    account, named = attempt.account, name_on(attempt.invitation)
    if account is None:
        return named
    return named or account.name or account.owner.account_name


def name_on(invitation: Invitation) -> str:
    """Return what the partner calls the invited customer; "" without a name."""
    return invitation.customer_name or invitation.recipient_name


def fill_names(association: Association) -> None:
    """Set the derived texts of an association, which the caller saves."""
    for column, text in derived_names(association).items():
        setattr(association, column, text)


def refresh_names(associations: Iterable[Association]) -> None:
    """Write the derived texts of these rows, with their owners, as they are now."""
    changed = []
    for association in associations:
        before = [getattr(association, column) for column in DERIVED]
        fill_names(association)
        if before != [getattr(association, column) for column in DERIVED]:
            changed.append(association)
    if changed:
        Association.objects.bulk_update(changed, DERIVED, batch_size=500)


def refresh_names_of(user: User) -> None:
    """Do so for all associations of the user's account: its name has changed.

    Call it in the transaction of that change, which has locked the user or the account.
    """
    rows = Association.objects.filter(account__owner=user)
    # Locked first, then read: a statement that waits for a lock joins the names from before.
    keys = list(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    refresh_names(Association.objects.filter(pk__in=keys).select_related("account__owner"))


@whole_transaction
def rename_customer(
    *,
    association: Association,
    customer_name: str | None = None,
    reference: str | None = None,
    note: str | None = None,
    by: User,
    now: datetime,
    shown_version: ShownVersion | None = None,
) -> Association:
    """Change what the partner calls the customer, its own key and its note.

    "" removes one, None leaves it as it is. The customer never sees them. Writes nothing when
    nothing differs. Raises Refused: ENDED, ChangedMeanwhile for the fields.
    """
    with transaction.atomic():
        # Account and owner are read after the lock, as in `refresh_names_of()`.
        locked = Association.objects.select_for_update().get(pk=association.pk)
        if locked.has_ended:
            raise Refused(AssociationRefusal.ENDED, association=association)
        before = editable_names(locked)
        given = {"customer_name": customer_name, "reference": reference, "note": note}
        after = before | {name: text for name, text in given.items() if text is not None}
        if before == after:
            return locked
        check_shown(shown_version, before, about=locked)
        for column, text in after.items():
            setattr(locked, column, text)
        fill_names(locked)
        locked.save(update_fields=[*EDITABLE, *DERIVED])
        record_audit_event(
            action="association.renamed", about=locked, by=by, now=now, before=before, after=after
        )
        return locked


def editable_names(association: Association) -> dict[str, Any]:
    """Return what the page shows that changes them."""
    return {name: getattr(association, name) for name in EDITABLE}

"""Customer accounts as the provider's systems add and change them, named by keys of their own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.enums import CustomerAccountRefusal
from accounts.models import CustomerAccount, User
from accounts.services.account_names import tell_renamed
from accounts.services.administration import save_new_user
from accounts.services.fact_forms import ACCOUNT_FIELDS
from accounts.services.freezes import lock_accounts
from audit.models import Actor
from audit.services import record_audit_event
from web.email_addresses import canonical_address
from web.refused import Refused
from web.transactions import whole_transaction

# A fact may say the same but for the names.
CHANGEABLE = ("external_id", "name", *ACCOUNT_FIELDS)


@whole_transaction
def put_account(
    *, external_id: str, address: str, values: Mapping[str, Any], by: User, now: datetime
) -> tuple[CustomerAccount, bool]:
    """Change the account with this external id, or add one; return it, and whether it is new.

    A new account has a new owner with this address, who gets no e-mail and sets a password by
    "forgot password", or logs in at the provider. The address of a known account stays its owner's.
    Of two calls at once the second one changes what the first has added. `values` has some of
    CHANGEABLE. Raises Refused: ADDRESS_TAKEN, SERVICES_IN_USE; InvalidAddress.
    """
    with transaction.atomic():
        rows = CustomerAccount.objects.filter(external_id=external_id)
        known = rows.first()
        if known is None:
            try:
                with transaction.atomic():
                    return _add(external_id, address, values, by, now), True
            except IntegrityError as error:
                # Of another call that has added the account meanwhile, or of the address.
                known = rows.first()
                if known is None:
                    raise Refused(CustomerAccountRefusal.ADDRESS_TAKEN) from error
        return change_account(account=known, values=values, by=by, now=now), False


@whole_transaction
def change_account(
    *, account: CustomerAccount, values: Mapping[str, Any], by: User, now: datetime
) -> CustomerAccount:
    """Change these of the CHANGEABLE fields; write nothing when nothing differs.

    Locks the account; one audit event. Raises Refused: EXTERNAL_ID_TAKEN, SERVICES_IN_USE.
    """
    try:
        with transaction.atomic():
            locked = lock_accounts([account.pk])[account.pk]
            names = [name for name, value in values.items() if getattr(locked, name) != value]
            if names:
                _change(locked, names, values, by, now)
            return locked
    except IntegrityError as error:
        if not values.get("external_id"):
            raise
        raise Refused(CustomerAccountRefusal.EXTERNAL_ID_TAKEN) from error


def _change(
    account: CustomerAccount,
    names: Sequence[str],
    values: Mapping[str, Any],
    by: User,
    now: datetime,
) -> None:
    """Write these fields of an account that the caller has locked."""
    before = {name: _plain(getattr(account, name)) for name in names}
    for name in names:
        setattr(account, name, values[name])
    _refuse_lost_services(account)
    account.save(update_fields=names)
    if "name" in names:
        tell_renamed(account.owner)
    after = {name: _plain(getattr(account, name)) for name in names}
    _record("account.changed", account, by, now, before=before, after=after)


def _add(
    external_id: str, address: str, values: Mapping[str, Any], by: User, now: datetime
) -> CustomerAccount:
    owner = User(email=canonical_address(address))
    save_new_user(user=owner, email_original=address, by=by, now=now)
    fields = {"registered_at": now, **values}
    account = CustomerAccount.objects.create(owner=owner, external_id=external_id, **fields)
    after = {name: _plain(getattr(account, name)) for name in CHANGEABLE}
    _record("account.added", account, by, now, after={"owner": owner.pk, **after})
    return account


def _refuse_lost_services(account: CustomerAccount) -> None:
    try:
        account.clean()
    except ValidationError as error:
        raise Refused(CustomerAccountRefusal.SERVICES_IN_USE) from error


def _record(
    action: str, account: CustomerAccount, by: Actor, now: datetime, **values: dict[str, Any]
) -> None:
    record_audit_event(action=action, about=account, by=by, now=now, **values)


def _plain(value: Any) -> Any:
    """Return a country as its code, other values as they are."""
    return getattr(value, "code", value)

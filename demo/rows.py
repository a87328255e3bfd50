"""Rows of the demo: added or restored, each with its audit event."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import models

from accounts.enums import AccountType, RegistrationSite
from accounts.models import CustomerAccount, User
from accounts.services.administration import save_new_user
from accounts.services.facts_import import import_facts
from audit.services import record_audit_event
from demo.examples import CUSTOMER_PASSWORD, NAMES, NOW, Fact

SOURCE = "demo"


def set_row(
    model: type[Any], key: Mapping[str, Any], wanted: Mapping[str, Any], *, now: datetime
) -> Any:
    """Return the row with this key: added, or with the wanted values restored."""
    row, is_new = model._default_manager.get_or_create(**key, defaults=wanted)
    if is_new:
        action, after = f"{model._meta.model_name}.added", _stored(row, [*key, *wanted])
        record_audit_event(action=action, about=row, by=None, now=now, after=after)
    else:
        restore_row(row, wanted, now=now)
    return row


def restore_row(row: models.Model, wanted: Mapping[str, Any], *, now: datetime) -> None:
    """Set the fields that differ from `wanted`, with one audit event."""
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    if not changed:
        return
    before = _stored(row, changed)
    for name in changed:
        setattr(row, name, wanted[name])
    row.save(update_fields=changed)
    action, after = f"{row._meta.model_name}.changed", _stored(row, changed)
    record_audit_event(action=action, about=row, by=None, now=now, before=before, after=after)


def _stored(row: models.Model, names: list[str]) -> dict[str, Any]:
    return type(row)._default_manager.values(*names).get(pk=row.pk)


# --- users and accounts


@cache
def _hash_password(password: str) -> str:
    # One salt for all users, so that a hash can be compared without hashing a password per user.
    return make_password(password, salt="neitherSecretNorRandom0")


def add_user(address: str, *, now: datetime) -> User:
    user = User(email=address)
    save_new_user(user=user, email_original=address, by=None, now=now)
    EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return user


def restore_login(user: User, password: str, *, now: datetime, **powers: bool) -> None:
    """Let the user log in with the password that the demo prints."""
    restore_row(user, {"is_active": True, **powers}, now=now)
    if user.password != _hash_password(password):
        user.password = _hash_password(password)
        user.save(update_fields=["password"])
        record_audit_event(action="user.password_changed", about=user, by=None, now=now)


def restore_account(
    owner: User, values: Fact, facts: Iterable[Fact], *, at: datetime, now: datetime
) -> CustomerAccount:
    """Add the owner's account, or import its values and facts again; the password is as printed.

    A `timedelta` among them is a distance from `at`, when the account was registered and enabled
    unless `values` say otherwise.
    """
    restore_login(owner, CUSTOMER_PASSWORD, now=now)
    if not hasattr(owner, "customer_account"):
        name = NAMES.get(owner.email, "")
        account = CustomerAccount.objects.create(owner=owner, name=name)
        after = {"owner": owner.pk, "name": name}
        record_audit_event(action="account.added", about=account, by=None, now=now, after=after)
    its_values = {
        "kind": "account",
        "account_type": AccountType.INDIVIDUAL,
        "registration_site": RegistrationSite.INTERNATIONAL,
        "country": "DE",
        "registered_at": NOW,
        "services_enabled_at": NOW,
        "is_internal": False,
        **values,
    }
    lines = [
        {
            "source": SOURCE,
            "external_id": f"{owner.email}/{number}",
            "master" if "member" in fact else "account": owner.email,
            **{
                name: (at + value).isoformat() if isinstance(value, timedelta) else value
                for name, value in fact.items()
            },
        }
        for number, fact in enumerate([its_values, *facts])
    ]
    report = import_facts(lines=lines, now=now)
    if report.errors:
        raise ValueError(report.errors)
    return CustomerAccount.objects.select_related("owner").get(owner=owner)

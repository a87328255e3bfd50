"""Rows of the demo: added or restored, each with its audit event; and customers who join."""

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
from association.models import Association, Attempt, DocumentKind
from association.services.associations import associate
from association.services.attempts import (
    agree_to_instructions,
    enter_attempt,
    new_browser_secret,
    start_attempt,
)
from association.services.documents import current_documents
from audit.services import record_audit_event
from partners.enums import Channel
from partners.models import Invitation

SOURCE = "demo"
_PLAIN = (type(None), bool, int, str, datetime)


def set_row(
    model: type[Any], key: Mapping[str, Any], wanted: Mapping[str, Any], *, now: datetime
) -> Any:
    """Return the row with this key: added, or with the wanted values restored."""
    row = model._default_manager.filter(**key).first()
    if row is not None:
        restore_row(row, wanted, now=now)
        return row
    row = model(**{**key, **wanted})
    row.save(force_insert=True)
    action, after = f"{model._meta.model_name}.added", _plain({**key, **wanted})
    record_audit_event(action=action, about=row, by=None, now=now, after=after)
    return row


def restore_row(row: models.Model, wanted: Mapping[str, Any], *, now: datetime) -> None:
    """Set the fields that differ from `wanted`, with one audit event."""
    before = {name: getattr(row, name) for name in wanted if getattr(row, name) != wanted[name]}
    if not before:
        return
    after = {name: wanted[name] for name in before}
    for name, value in after.items():
        setattr(row, name, value)
    row.save(update_fields=list(after))
    record_audit_event(
        action=f"{row._meta.model_name}.changed",
        about=row,
        by=None,
        now=now,
        before=_plain(before),
        after=_plain(after),
    )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    keys = {name: v.pk if isinstance(v, models.Model) else v for name, v in values.items()}
    return {name: v if isinstance(v, _PLAIN) else str(v) for name, v in keys.items()}


# --- users and accounts


@cache
def _hash_password(password: str) -> str:
    # One salt for all users, so that a hash can be compared without hashing a password per user.
    return make_password(password, salt="neitherSecretNorRandom0")


def add_user(address: str, *, now: datetime) -> User:
    """Add a user with this address, proven, and without a password."""
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
    owner: User,
    values: Mapping[str, Any],
    facts: Iterable[Mapping[str, Any]],
    *,
    at: datetime,
    now: datetime,
) -> CustomerAccount:
    """Add the owner's account, or import its values and facts again.

    A `timedelta` among them is a distance from `at`, when the account was registered and enabled
    unless `values` say otherwise.
    """
    account: CustomerAccount = set_row(CustomerAccount, {"owner": owner}, {}, now=now)
    its_values = {
        "kind": "account",
        "account_type": AccountType.INDIVIDUAL,
        "registration_site": RegistrationSite.INTERNATIONAL,
        "country": "DE",
        "registered_at": timedelta(0),
        "services_enabled_at": timedelta(0),
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
    account.refresh_from_db()
    return account


# --- invitations that are followed


def begin_attempt(invitation: Invitation, *, now: datetime) -> Attempt:
    """Begin an attempt, and agree to the instructions where there are any."""
    attempt = start_attempt(
        invitation=invitation, browser_secret=new_browser_secret(), language="en", now=now
    )
    if invitation.is_reseller:
        documents = current_documents([DocumentKind.INSTRUCTIONS], attempt.language)
        agree_to_instructions(
            attempt=attempt,
            instructions=documents[DocumentKind.INSTRUCTIONS],
            letter=None,
            address=None,
            now=now,
        )
    return attempt


def join_partner(
    account: CustomerAccount, invitation: Invitation, *, started_at: datetime, now: datetime
) -> Association:
    """Associate the account; by a link as one that was registered in this attempt."""
    attempt = begin_attempt(invitation, now=started_at)
    by_link = invitation.channel == Channel.LINK
    enter_attempt(attempt=attempt, account=account, now=started_at, registered=by_link)
    return associate(attempt=attempt, by=account.owner, address=None, clock=lambda: now)

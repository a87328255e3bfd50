"""Rows of the demo: added or restored, each with its audit event; and customers who join."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import models

from accounts.models import CustomerAccount, User
from accounts.services.account_names import new_account_name
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
from demo.examples import SOURCE
from demo.facts import FactExample
from partners.enums import Channel
from partners.models import Invitation

# A moment that differs by less than this is not restored.
DRIFT = timedelta(days=1)
# One salt for all users, so that a hash can be compared without hashing a password per user.
_SALT = "neitherSecretNorRandom0"
_PLAIN = (type(None), bool, int, str, datetime)

# --- rows that no service makes


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
    before = {name: getattr(row, name) for name in wanted}
    changed = [name for name in wanted if not _is_same(before[name], wanted[name])]
    if not changed:
        return
    for name in changed:
        setattr(row, name, wanted[name])
    row.save(update_fields=changed)
    record_audit_event(
        action=f"{row._meta.model_name}.changed",
        about=row,
        by=None,
        now=now,
        before=_plain({name: before[name] for name in changed}),
        after=_plain({name: wanted[name] for name in changed}),
    )


def _is_same(stored: Any, wanted: Any) -> bool:
    if isinstance(stored, datetime) and isinstance(wanted, datetime):
        return abs(stored - wanted) < DRIFT
    return bool(stored == wanted)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    keys = {name: v.pk if isinstance(v, models.Model) else v for name, v in values.items()}
    return {name: v if isinstance(v, _PLAIN) else str(v) for name, v in keys.items()}


# --- users and accounts


def hash_password(password: str) -> str:
    """Return the stored form of a password that the demo prints, the same every time."""
    return make_password(password, salt=_SALT)


def add_user(address: str, *, now: datetime) -> User:
    """Add a user with this address and no password."""
    user = User.objects.create_user(new_account_name(), address, created_at=now)
    after = {"account_name": user.account_name}
    record_audit_event(action="user.added", about=user, by=None, now=now, after=after)
    return user


def restore_log_in(user: User, password_hash: str, *, now: datetime, **powers: bool) -> None:
    """Make sure that the user can log in with the password that the demo prints."""
    restore_row(user, {"is_active": True, **powers}, now=now)
    if user.password != password_hash:
        user.password = password_hash
        user.save(update_fields=["password"])
        record_audit_event(action="user.password_changed", about=user, by=None, now=now)
    known = user.emailaddress_set.all()  # type: ignore[attr-defined]  # allauth has no types
    if not any(a.email == user.email and a.verified and a.primary for a in known):
        proven = {"verified": True, "primary": True}
        EmailAddress.objects.update_or_create(user=user, email=user.email, defaults=proven)


def set_account(
    owner: User, values: Mapping[str, Any], facts: Iterable[FactExample], *, now: datetime
) -> CustomerAccount:
    """Return the owner's account with these values and facts."""
    wanted = {"country": "DE", **values}
    account: CustomerAccount = set_row(CustomerAccount, {"owner": owner}, wanted, now=now)
    for fact in facts:
        set_fact(fact.model, account, fact.name, fact.values_at(now), now=now, account=account)
    return account


def set_fact(
    model: type[models.Model],
    about: CustomerAccount,
    name: str,
    values: Mapping[str, Any],
    *,
    now: datetime,
    **accounts: CustomerAccount,
) -> None:
    """Set one fact; its external id is made of the owner's address and the fact's name."""
    key = {"source": SOURCE, "external_id": f"{about.owner.email}/{name}"}
    set_row(model, key, {**accounts, **values}, now=now)


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

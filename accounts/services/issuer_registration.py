"""Users who come from an issuer: it has proven the e-mail address, so they get no password."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from accounts.enums import ConnectionRefusal, RegistrationSite
from accounts.models import CustomerAccount, User
from accounts.services.account_names import new_account_name
from accounts.services.connected_logins import (
    Identity,
    find_connected_user,
    tell_of_connection,
    write_connection,
)
from accounts.services.customer_accounts import change_account
from accounts.services.registration import claim_unclaimed, create_account
from web.email_addresses import canonical_address
from web.refused import Refused
from web.transactions import whole_transaction


@dataclass(frozen=True, slots=True)
class Person:
    """What an issuer says about a person; the address is proven. Empty: it does not say.

    `external_id`: the provider's own key of the account. `registered_at`: when the person
    registered at the provider.
    """

    identity: Identity
    email: str
    external_id: str = ""
    name: str = ""
    country: str = ""
    registration_site: RegistrationSite = RegistrationSite.INTERNATIONAL
    registered_at: datetime | None = None


def is_address_taken(email: str) -> bool:
    """Return whether a user has this e-mail address, other than one that its owner never used."""
    address = canonical_address(email)
    users = User.objects.filter(email=address)
    return users.exists() and not User.objects.unclaimed().filter(email=address).exists()


@whole_transaction
def register_person(*, person: Person, country: str, language: str, now: datetime) -> User:
    """Create user, proven address, connected log-in and customer account, or nothing.

    A user whom others made for the address is taken over. The account's registration is the
    person's at the provider, else `now`. Called again it returns the same user and writes nothing.
    Raises Refused with a ConnectionRefusal: ADDRESS_TAKEN, also when another account has got the
    external id meanwhile.
    """
    try:
        with transaction.atomic():
            user = _connected_or_new(person, language, now)
            if not CustomerAccount.objects.filter(owner=user).exists():
                create_account(
                    CustomerAccount(
                        owner=user,
                        external_id=person.external_id or None,
                        name=person.name,
                        country=country,
                        registration_site=person.registration_site,
                        registered_at=person.registered_at or now,
                    ),
                    now=now,
                )
            return user
    except IntegrityError:
        # Another request has registered the same person, or somebody the same address, just now.
        user_of_other = find_connected_user(person.identity)
        if user_of_other is None:
            raise Refused(ConnectionRefusal.ADDRESS_TAKEN) from None
        return user_of_other


@whole_transaction
def claim_user(*, person: Person, language: str, now: datetime) -> User | None:
    """Give the person the user whom others made for the address, an invited member for example.

    None where there is no such user. It gets the connected log-in and no customer account.
    """
    try:
        with transaction.atomic():
            user = _claim(person, language, now)
            if user is not None:
                _prove_and_connect(user, person, now)
    except IntegrityError:
        # Another request has claimed it just now.
        user = find_connected_user(person.identity)
    return user


@whole_transaction
def claim_account(*, person: Person, now: datetime) -> User | None:
    """Give the person the account that the provider has added under this external id.

    None where there is none. Its owner must have the proven address, and no way to log in yet.
    Raises Refused: ACCOUNT_TAKEN.
    """
    if not person.external_id:
        return None
    with transaction.atomic():
        accounts = CustomerAccount.objects.filter(external_id=person.external_id)
        account = accounts.select_for_update(of=("self",)).first()
        if account is None:
            return None
        # Whoever was quicker with the same log-in, on another tab.
        connected = find_connected_user(person.identity)
        if connected is not None and connected.pk == account.owner_id:
            return connected
        owner = User.objects.select_for_update(of=("self",)).get(pk=account.owner_id)
        if connected is not None or not _is_unused(owner, person.email):
            raise Refused(ConnectionRefusal.ACCOUNT_TAKEN)
        EmailAddress.objects.filter(user=owner).delete()
        _prove_and_connect(owner, person, now)
    return owner


def refresh_name(*, user: User, name: str, now: datetime) -> None:
    """Take the name over from the issuer of a log-in; an empty one changes nothing.

    What a partner calls the customer stays.
    """
    account = CustomerAccount.objects.filter(owner=user).first()
    if account is not None and name not in ("", account.name):
        change_account(account=account, values={"name": name}, by=user, now=now)


def _is_unused(owner: User, address: str) -> bool:
    if owner.email != canonical_address(address) or owner.is_staff or not owner.is_active:
        return False
    has_way_in = owner.has_usable_password() or owner.connected_logins.exists()
    return not has_way_in and owner.last_login is None


def _connected_or_new(person: Person, language: str, now: datetime) -> User:
    connected = find_connected_user(person.identity)
    if connected is not None:
        return connected
    user = _claim(person, language, now)
    if user is None:
        if User.objects.filter(email=canonical_address(person.email)).exists():
            raise Refused(ConnectionRefusal.ADDRESS_TAKEN)
        user = User.objects.build_user(
            new_account_name(),
            person.email,
            password=make_password(None),
            language=language,
            created_at=now,
        )
        user.save(force_insert=True)
    _prove_and_connect(user, person, now)
    return user


def _claim(person: Person, language: str, now: datetime) -> User | None:
    return claim_unclaimed(person.email, make_password(None), language, now)


def _prove_and_connect(user: User, person: Person, now: datetime) -> None:
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    write_connection(user=user, identity=person.identity, by=user, now=now)
    tell_of_connection(user=user, issuer=person.identity.issuer, is_on=True, now=now)

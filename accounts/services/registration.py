"""Registration with a code: the user, the proven address and the customer account.

It creates the user, or gives the person one that others made for the address and that its owner has
never used (`UserManager.unclaimed()`), an invited member's for example.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import CustomerAccount, User, VerificationCode
from accounts.services.account_names import new_account_name
from accounts.services.codes import Proof, spend_code
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.email_addresses import canonical_address
from web.fixed_queries import TEXT, fixed_query
from web.refused import Refused
from web.transactions import whole_transaction


@whole_transaction
def register_account(
    *,
    proof: Proof,
    address: str,
    password: str,
    password_hash: str,
    country: str,
    language: str,
    now: datetime,
) -> User:
    """Spend the code and create user, verified e-mail address and customer account, or nothing.

    `address` is as it was typed; its canonical form must be the proven one. The password must have
    passed the policy; its hash is made by the caller, outside of any transaction, because it may
    have to wait for its turn. After a double click the same code and password return the same user.
    Raises Refused, with the same code for a known address and for a wrong code.
    """
    if proof.purpose != CodePurpose.REGISTER or canonical_address(address) != proof.email:
        raise Refused(CodeRefusal.WRONG)
    try:
        with transaction.atomic():
            if spend_code(proof=proof, now=now):
                user = _create(address, password_hash, country, language, now)
                VerificationCode.objects.filter(pk=proof.code_id).update(spent_by=user)
                return user
    except IntegrityError as error:
        if not User.objects.filter(email=proof.email).exists():
            raise
        # The same address was proven in another flow a moment ago.
        raise Refused(CodeRefusal.WRONG) from error
    return _registered_before(proof, password)


def _create(address: str, password_hash: str, country: str, language: str, now: datetime) -> User:
    user = claim_unclaimed(address, password_hash, language, now)
    if user is None:
        user = User.objects.build_user(
            new_account_name(), address, password=password_hash, language=language, created_at=now
        )
        user.save()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    create_account(CustomerAccount(owner=user, country=country, registered_at=now), now=now)
    return user


def create_account(account: CustomerAccount, *, now: datetime) -> None:
    """Save a new account, and e-mail its owner. Call it inside a transaction."""
    account.save(force_insert=True)
    record_audit_event(
        action="account.registered",
        about=account,
        by=account.owner,
        now=now,
        after={
            "owner": account.owner.pk,
            "account_type": account.account_type,
            "registration_site": account.registration_site,
            "country": str(account.country),
        },
    )
    owner = account.owner
    outgoing = OutgoingMessage("accounts.registered", owner.email, owner, owner.language)
    enqueue_messages(messages=[outgoing], now=now)


def claim_unclaimed(address: str, password_hash: str, language: str, now: datetime) -> User | None:
    """Give the log-in that others made for this address to the visitor, who has proven it.

    None where there is no such log-in. Call it inside a transaction.
    """
    email = canonical_address(address)
    # Almost always there is none, and to see that costs less than to lock it.
    if _unclaimed.first(email) is None:
        return None
    unclaimed = User.objects.unclaimed().filter(email=email)
    user = unclaimed.select_for_update(of=("self",)).first()
    if user is None:
        return None
    before, user.language, user.email_original = user.language, language, address
    user.password = password_hash
    user.save(update_fields=["password", "language", "email_original"])
    # An earlier unproven entry of the same address.
    EmailAddress.objects.filter(user=user).delete()
    record_audit_event(
        action="user.claimed",
        about=user,
        by=user,
        now=now,
        before={"language": before},
        after={"language": language},
    )
    return user


@fixed_query(TEXT)
def _unclaimed(email: str) -> "QuerySet[User]":
    return User.objects.unclaimed().filter(email=email)


def _registered_before(proof: Proof, password: str) -> User:
    row = VerificationCode.objects.select_related("spent_by").get(pk=proof.code_id)
    if row.spent_at is None:
        raise Refused(CodeRefusal.EXPIRED)
    user = row.spent_by
    if user is None or not user.is_active or not user.check_password(password):
        raise Refused(CodeRefusal.WRONG)
    return user

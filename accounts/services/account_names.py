"""Account names: the one generated at registration, and the one change of it."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.enums import AccountNameRefusal
from accounts.models import User
from audit.services import record_audit_event
from web.random_ids import CROCKFORD
from web.refused import Refused
from web.transactions import whole_transaction

_GENERATED = re.compile(rf"c-[{CROCKFORD}]{{10}}")
# A name begins with a letter and has no "@": it cannot be taken for an e-mail address or a number.
_ALLOWED = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
SHORTEST, LONGEST = 4, 40
# What higher apps do in the transaction in which a user's account name changes.
_after_renaming: list[Callable[[User], None]] = []


def new_account_name() -> str:
    """Return a new account name: "c-" and ten random Crockford characters."""
    return "c-" + "".join(secrets.choice(CROCKFORD) for _ in range(10))


def call_after_renaming(function: Callable[[User], None]) -> None:
    """Have the function called with each renamed user, once the app of the function is ready."""
    _after_renaming.append(function)


def tell_renamed(user: User) -> None:
    """Let higher apps follow a new name of the user, or of the user's account.

    Call it inside the transaction of the change, which has locked the user or the account.
    """
    for function in _after_renaming:
        function(user)


@whole_transaction
def rename_account(*, user: User, account_name: str, by: User, now: datetime) -> User:
    """Change the account name of a user, which is possible once; upper case is lowered.

    Locks the user; one audit event. Raises Refused with an AccountNameRefusal.
    """
    name = account_name.strip().lower()
    # The Kelvin sign and its like become ASCII letters when they are lowered.
    is_allowed = account_name.isascii() and _ALLOWED.fullmatch(name)
    if not SHORTEST <= len(name) <= LONGEST or not is_allowed or _GENERATED.fullmatch(name):
        raise Refused(AccountNameRefusal.MALFORMED)
    try:
        with transaction.atomic():
            locked = User.objects.select_for_update().get(pk=user.pk)
            if locked.account_name == name:
                # The second of two clicks.
                return locked
            if locked.account_name_changed_at is not None:
                raise Refused(AccountNameRefusal.CHANGED_BEFORE)
            before = locked.account_name
            locked.account_name, locked.account_name_changed_at = name, now
            locked.save(update_fields=["account_name", "account_name_changed_at"])
            record_audit_event(
                action="user.renamed",
                about=locked,
                by=by,
                now=now,
                before={"account_name": before},
                after={"account_name": name},
            )
            tell_renamed(locked)
            return locked
    except IntegrityError as error:
        raise Refused(AccountNameRefusal.TAKEN) from error

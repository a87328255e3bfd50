"""Account names: the one that is given at registration, and the one change of it."""

import re
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts.crockford import ALPHABET
from accounts.models import User
from audit.services import record_audit_event

_GIVEN = re.compile(rf"c-[{ALPHABET}]{{10}}")
# Begins with a letter and holds no "@": a name is never mistaken for an address or a number.
_ALLOWED = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
SHORTEST, LONGEST = 4, 40


class AccountNameRefused(Exception):
    """The account name stays: `code` is changed_before, malformed or taken."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def new_account_name() -> str:
    """Return a fresh account name: "c-" and ten random Crockford characters."""
    return "c-" + "".join(secrets.choice(ALPHABET) for _ in range(10))


def rename_account(*, user: User, account_name: str, by: User, now: datetime) -> User:
    """Change the account name of a user, which is possible once; upper case is lowered.

    Locks the user; one audit event. Raises AccountNameRefused.
    """
    name = account_name.strip().lower()
    long_enough = SHORTEST <= len(name) <= LONGEST
    # The Kelvin sign and its like become ASCII letters when they are lowered.
    ours = account_name.isascii() and _ALLOWED.fullmatch(name)
    if not long_enough or not ours or _GIVEN.fullmatch(name):
        raise AccountNameRefused("malformed")
    try:
        with transaction.atomic():
            locked = User.objects.select_for_update().get(pk=user.pk)
            if locked.account_name_changed_at is not None:
                raise AccountNameRefused("changed_before")
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
            return locked
    except IntegrityError as error:
        raise AccountNameRefused("taken") from error

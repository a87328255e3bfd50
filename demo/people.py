"""The demo's people: added without a registration, and able to log in with what is printed."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from accounts.models import User
from accounts.services.account_names import new_account_name
from audit.services import record_audit_event
from demo.rows import bring_back

# One for all, so that looking whether a password is still the demo's takes no hashing per user.
_SALT = "neitherSecretNorRandom0"


def hash_password(password: str) -> str:
    """Return what is stored of a printed password, the same every time."""
    return make_password(password, salt=_SALT)


def add_person(address: str, *, now: datetime) -> User:
    """Add a user who has this address and no password."""
    user = User.objects.create_user(new_account_name(), address, created_at=now)
    record_audit_event(
        action="user.added",
        about=user,
        by=None,
        now=now,
        after={"account_name": user.account_name},
    )
    return user


def open_log_in(user: User, password_hash: str, *, now: datetime, **powers: bool) -> None:
    """See to it that the user can log in with the printed password."""
    bring_back(user, {"is_active": True, **powers}, now=now)
    if user.password != password_hash:
        user.password = password_hash
        user.save(update_fields=["password"])
        record_audit_event(action="user.password_changed", about=user, by=None, now=now)
    proven = {"verified": True, "primary": True}
    known = user.emailaddress_set.all()  # type: ignore[attr-defined]  # allauth has no types
    if not any(a.email == user.email and a.verified and a.primary for a in known):
        EmailAddress.objects.update_or_create(user=user, email=user.email, defaults=proven)

"""Log-ins at issuers: finding whose one is, connecting it with a user, and disconnecting it."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.enums import ConnectionRefusal
from accounts.models import ConnectedLogin, User
from audit.services import record_audit_event
from outbox.services.queue import OutgoingMessage, enqueue_messages
from web.refused import Refused
from web.transactions import whole_transaction


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an issuer says has logged in. The two belong together: a subject is one issuer's."""

    issuer: str
    subject: str


def find_connected_user(identity: Identity) -> User | None:
    """Return the user who has connected this log-in, active or not; else None."""
    connected = ConnectedLogin.objects.select_related("user")
    found = connected.filter(issuer=identity.issuer, subject=identity.subject).first()
    return found.user if found is not None else None


def list_connected_logins(user_id: int) -> list[ConnectedLogin]:
    """Return the log-ins that the user has connected, oldest first."""
    return list(ConnectedLogin.objects.filter(user=user_id).order_by("connected_at", "pk"))


def uses_password(user: User) -> bool:
    """Return whether the user has a password and passwords are in use."""
    return settings.PASSWORD_LOGIN and user.has_usable_password()


def needs_password(user: User) -> bool:
    """Return whether the user can log in only once a password is set."""
    if not settings.PASSWORD_LOGIN or user.has_usable_password():
        return False
    return not ConnectedLogin.objects.filter(user=user).exists()


@whole_transaction
def connect_login(*, user: User, identity: Identity, by: User | None, now: datetime) -> None:
    """Let the identity log the user in from now on, and enqueue an e-mail that says so.

    Connecting it again writes nothing. Raises Refused with a ConnectionRefusal: OF_ANOTHER_USER,
    NOT_ACTIVE.
    """
    try:
        with transaction.atomic():
            locked = User.objects.select_for_update().get(pk=user.pk)
            if not locked.is_active:
                raise Refused(ConnectionRefusal.NOT_ACTIVE)
            present = find_connected_user(identity)
            if present is None:
                write_connection(user=locked, identity=identity, by=by, now=now)
                tell_of_connection(user=locked, issuer=identity.issuer, is_on=True, now=now)
    except IntegrityError:
        # Another request has connected it a moment ago.
        present = find_connected_user(identity)
        if present is None:
            raise
    if present is not None and present != user:
        raise Refused(ConnectionRefusal.OF_ANOTHER_USER)


@whole_transaction
def connect_for_operator(*, user: User, identity: Identity, now: datetime) -> None:
    """Connect a log-in from the command line, and take the user's address for proven.

    So an administrator who has never had a password can log in. Raises Refused as
    `connect_login()`.
    """
    with transaction.atomic():
        connect_login(user=user, identity=identity, by=None, now=now)
        EmailAddress.objects.update_or_create(
            user=user, email=user.email, defaults={"verified": True, "primary": True}
        )


def write_connection(*, user: User, identity: Identity, by: User | None, now: datetime) -> None:
    """Store the connected log-in with its audit event. Call it inside a transaction."""
    ConnectedLogin.objects.create(
        user=user, issuer=identity.issuer, subject=identity.subject, connected_at=now
    )
    record_audit_event(
        action="user.login_connected",
        about=user,
        by=by,
        now=now,
        after={"connected_issuer": identity.issuer},
    )


@whole_transaction
def disconnect_login(*, user: User, login_id: int, by: User, now: datetime) -> None:
    """Delete a connected log-in of the user, and enqueue an e-mail that says so.

    Where it is gone already, nothing happens. Raises Refused: LAST_WAY_IN, when the user could not
    log in any more.
    """
    with transaction.atomic():
        # Two that are disconnected at once would each see the other.
        locked = User.objects.select_for_update().get(pk=user.pk)
        logins = list_connected_logins(locked.pk)
        wanted = next((login for login in logins if login.pk == login_id), None)
        if wanted is None:
            return
        others = [row for row in logins if row is not wanted and row.configured is not None]
        if not others and not uses_password(locked):
            raise Refused(ConnectionRefusal.LAST_WAY_IN)
        ConnectedLogin.objects.filter(pk=wanted.pk).delete()
        record_audit_event(
            action="user.login_disconnected",
            about=locked,
            by=by,
            now=now,
            before={"connected_issuer": wanted.issuer},
        )
        tell_of_connection(user=locked, issuer=wanted.issuer, is_on=False, now=now)


def tell_of_connection(*, user: User, issuer: str, is_on: bool, now: datetime) -> None:
    """Enqueue the e-mail about a log-in that was connected or disconnected."""
    data = {"issuer": issuer, "is_on": is_on, "changed_at": now}
    outgoing = OutgoingMessage(
        "accounts.connected_login_changed", user.email, user, user.language, data
    )
    enqueue_messages(messages=[outgoing], now=now)

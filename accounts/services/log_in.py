"""Logging in with a password: one hash for each guess, within the limits on guesses.

Beyond `login_failed_in_a_day` a browser that the user has not logged in with before proves the
account's mailbox first. So guesses from many networks end, and the owner is never locked out.
"""

from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts.enums import CodePurpose, CodeRefusal
from accounts.models import User
from accounts.services.codes import check_code, code_holder, send_code, spend_code
from accounts.services.passwords import warn_of_failed_logins
from web import limits
from web.email_addresses import InvalidAddress, canonical_address, canonical_or_none
from web.fixed_queries import KEY, TEXT, fixed_query
from web.refused import Busy, Refused, forget_refusal
from web.security_log import log_security_event


class MailboxUnproven(limits.LimitReached):
    """Too many guesses at this account today: this browser must prove the account's mailbox.

    No answer may depend on `knows_password`, or guesses would go on beyond the limit.
    """

    def __init__(self, beyond: limits.LimitReached, *, knows_password: bool) -> None:
        super().__init__(beyond.action, beyond.seconds)
        self.knows_password = knows_password


def find_owner(login: str) -> User | None:
    """Return the user with this e-mail address or account name, or None."""
    try:
        return _users_by_email.first(canonical_address(login))
    except InvalidAddress:
        return _users_by_name.first(login.lower())


def may_log_in(user: User) -> bool:
    """Return whether the user is active and has proven the e-mail address."""
    if hasattr(user, "is_proven"):
        is_proven = bool(user.is_proven)
    else:
        is_proven = bool(_proofs.all(user.pk, user.email))
    return user.is_active and is_proven


def check_guess(*, login: str, owner: User | None, password: str, browser: str | None) -> bool:
    """Return whether this is the password of the owner of this login, who may log in.

    `browser` identifies a browser that the owner has logged in with before. The guess is counted
    before it is hashed, so that parallel guesses cannot pass a limit; a right one is not counted,
    except beyond the limit of the day, where the answers are the same for both. An address and an
    account name are counted apart: one count would tell that they belong together.
    Raises LimitReached, MailboxUnproven, or Busy when too many passwords are being hashed.
    """
    account = f"login {canonical_or_none(login) or login.lower()}"
    beyond = _count_guess(account, owner, browser)
    try:
        is_right = _is_password_of(owner, password)
    except Busy:
        _uncount_guess(account, browser, beyond)
        raise
    if beyond is not None:
        _count_failure(account, owner)
        raise MailboxUnproven(beyond, knows_password=is_right) from beyond
    if is_right:
        _uncount_guess(account, browser, beyond)
    else:
        _count_failure(account, owner)
    return is_right


def send_log_in_code(
    *, email: str, login: str, flow: str, language: str, knows_password: bool, now: datetime
) -> None:
    """Send a code that proves the mailbox, if the address's limits allow one.

    The canonical address is the one that the visitor typed, not that of the login's owner: pages
    tell when a code went to an address, so they would tell to whom an account name belongs.
    `knows_password`: of the account with this login. This page does not tell whether the limits
    allowed a code: the codes kept for the owner would show whether a guess was right.
    """
    owner = find_owner(login)
    is_owners = owner is not None and owner.email == email
    try:
        send_code(
            email=email,
            purpose=CodePurpose.LOG_IN,
            flow=flow,
            language=language,
            now=now,
            from_owner=knows_password and is_owners,
        )
    except Refused as refused:
        # The answer is not one that the request log would write about.
        log_security_event("code.not_sent", purpose=CodePurpose.LOG_IN.value, code=refused.code)
        forget_refusal()


def prove_mailbox(*, email: str, flow: str, code: str, now: datetime) -> User:
    """Return the user whose mailbox the code proves; the guesses of this network are forgotten.

    After a double click both get the same answer. Call it outside every transaction, as
    `check_code()`. Raises Refused NOT_VALID for every wrong code: that the tries of a code are used
    up would tell that one was sent, so whose login this is or that the guessed password was right.
    """
    purpose = CodePurpose.LOG_IN
    try:
        proof = check_code(email=email, purpose=purpose, flow=flow, code=code, now=now)
    except Refused as refused:
        raise Refused(CodeRefusal.NOT_VALID) from refused
    spend_code(proof=proof, now=now)
    user = code_holder(email, purpose)
    if user is None:
        raise Refused(CodeRefusal.NOT_VALID)
    forget_failed_logins(user)
    return user


def forget_failed_logins(user: User) -> None:
    """Let the user, who has proven the mailbox, log in from this network at once."""
    for login in (user.email, user.account_name):
        limits.clear_limit("login_failed", _key_here(f"login {login}"))


@fixed_query(TEXT)
def _users_by_email(email: str) -> QuerySet[User]:
    return _users_and_proof().filter(email=email)


@fixed_query(TEXT)
def _users_by_name(account_name: str) -> QuerySet[User]:
    return _users_and_proof().filter(account_name=account_name)


@fixed_query(KEY, TEXT)
def _proofs(user: int, email: str) -> Any:
    return EmailAddress.objects.filter(user=user, email=email, verified=True)


def _users_and_proof() -> QuerySet[User]:
    own = EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"))
    return User.objects.annotate(is_proven=Exists(own.filter(verified=True)))


def _is_password_of(owner: User | None, password: str) -> bool:
    if owner is None:
        # As long as a comparison takes.
        make_password(password)
        return False
    return owner.check_password(password) and may_log_in(owner)


def _key_here(account: str) -> str:
    return f"{account} from {limits.client_network()}"


def _key_today(account: str, browser: str | None) -> str:
    return f"{account} with {browser}" if browser else account


def _count_guess(
    account: str, owner: User | None, browser: str | None
) -> limits.LimitReached | None:
    """Count the guess; return the limit of the day, if that is reached. Raises LimitReached."""
    try:
        limits.check_limit("login_failed_from_network")
        limits.count_use("login_failed", _key_here(account))
    except limits.LimitReached:
        _warn(owner)
        raise
    try:
        limits.count_use("login_failed_in_a_day", _key_today(account, browser))
    except limits.LimitReached as beyond:
        return beyond
    return None


def _uncount_guess(account: str, browser: str | None, beyond: limits.LimitReached | None) -> None:
    limits.uncount_use("login_failed", _key_here(account))
    if beyond is None:
        limits.uncount_use("login_failed_in_a_day", _key_today(account, browser))


def _count_failure(account: str, owner: User | None) -> None:
    for action, key in [("login_failed_from_network", None), ("login_failed_anywhere", account)]:
        try:
            limits.count_use(action, key)
        except limits.LimitReached:
            _warn(owner)


def _warn(owner: User | None) -> None:
    if owner is not None:
        warn_of_failed_logins(user=owner, now=timezone.now())

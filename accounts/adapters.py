"""How allauth behaves here: who may log in, how often it may fail, and where it leads."""

import re
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.flows.login import (
    AUTHENTICATION_METHODS_SESSION_KEY,
    get_authentication_records,
    record_authentication,
)
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.services.failed_logins import warn_of_failed_logins
from web import limits
from web.origin import current_origin

_NEVER_IN_AN_ADDRESS = re.compile(r"[\x00-\x20\x7f\\]")
_NO_MATCH = _("That account name or e-mail and that password don’t belong together.")


def may_log_in(user: User) -> bool:
    """Whether the user is active and has proven the address."""
    proven = EmailAddress.objects.filter(user=user, email=user.email, verified=True)
    return user.is_active and proven.exists()


def failed_login_key(request: HttpRequest, account: str) -> str:
    """Return what failed log-ins are counted by: the account, from this client's network."""
    return f"{account} from {limits.network_of(request)}"


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by account name or e-mail; registration is `register_account()`, never allauth's.

    Failed log-ins count per account – name and e-mail alike – and client address, so that a
    stranger cannot lock an owner out, and per client address. The owner is told by mail.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _NO_MATCH,
        "email_password_mismatch": _NO_MATCH,
        "incorrect_password": _("That is not your password."),
        "incorrect_code": _("That is not the code."),
        "too_many_login_attempts": _("Tried too often. Wait a few minutes, then try again."),
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user who may log in with these credentials; None tells nothing more.

        Raises LimitReached.
        """
        owner = self._owner(credentials)
        account = f"user {owner.pk}" if owner else f"login {self._typed(credentials)}"
        key = failed_login_key(request, account)
        try:
            limits.look(request, "login_failed_from_address")
            limits.count(request, "login_failed", key=key)
        except limits.LimitReached:
            self._warn(owner)
            raise
        user = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if isinstance(user, User) and may_log_in(user):
            limits.take_back(request, "login_failed", key=key)
            return user
        self._count_failure(request, account, owner)
        return None

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the signed-in user's password; failures count as failed log-ins."""
        found = self.authenticate(self.request, username=user.account_name, password=password)
        return found is not None and found.pk == user.pk

    def pre_login(
        self, request: HttpRequest, user: User, **hook_kwargs: Any
    ) -> HttpResponse | None:
        """Stop whoever may not log in, however they came this far."""
        if may_log_in(user):
            return None
        clear_login(request)
        return HttpResponseRedirect(reverse("account_login"))

    def login(self, request: HttpRequest, user: User) -> None:
        """Log in with a new session that holds nothing of the anonymous one."""
        records = get_authentication_records(request, user)
        request.session.flush()
        super().login(request, user)
        if records:
            record_authentication(request, user, method=records[-1]["method"])
            request.session[AUTHENTICATION_METHODS_SESSION_KEY] = records

    def get_login_stages(self) -> list[str]:
        """Return the second factor only: the address is proven before there is a user."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: allauth registers nobody here."""
        return False

    def is_safe_url(self, url: str) -> bool:
        """Whether the address is a path of ours, nothing else and nothing disguised."""
        if not url.startswith("/") or _NEVER_IN_AN_ADDRESS.search(unquote(url)):
            return False
        if not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
            return False
        try:
            resolve(unquote(urlsplit(url).path))
        except (Resolver404, ValueError):
            return False
        return True

    def is_ajax(self, request: HttpRequest) -> bool:
        """Return False: its JSON answers repeat what was typed, passwords included."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address; who has none shares one count with the likes of them."""
        return current_origin().address or "unknown"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> NoReturn:
        """Refuse: mails leave through the outbox."""
        raise NotImplementedError(template_prefix)

    @staticmethod
    def _typed(credentials: dict[str, Any]) -> str:
        return str(credentials.get("email") or credentials.get("username") or "").lower()

    def _owner(self, credentials: dict[str, Any]) -> User | None:
        typed = self._typed(credentials)
        field = "email" if "email" in credentials else "account_name"
        return User.objects.filter(**{field: typed}).first()

    def _count_failure(self, request: HttpRequest, account: str, owner: User | None) -> None:
        """Count for the client address and, over all addresses, for the account."""
        counts = [("login_failed_from_address", None), ("login_failed_anywhere", account)]
        for action, key in counts:
            try:
                limits.count(request, action, key=key)
            except limits.LimitReached:
                self._warn(owner)

    @staticmethod
    def _warn(owner: User | None) -> None:
        if owner is not None:
            warn_of_failed_logins(user=owner, now=timezone.now())

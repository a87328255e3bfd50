"""How allauth behaves here: who may log in, how often it may fail, and where it leads."""

import re
from collections.abc import Collection
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.issuer_logins import ISSUER_LOGIN, issuer_login_of
from accounts.known_browsers import find_known_browser, remember_known_browser
from accounts.models import User
from accounts.services.log_in import check_guess, find_owner, may_log_in
from accounts.services.second_factor import second_factor_types
from web.security_log import log_security_event
from web.session_life import begin_login

# Control characters, blanks and the backslash: browsers read them in ways of their own.
_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")
# What allauth's session entries about the present log-in begin with.
_METHODS = "account_authentication_methods"
# The browser of a log-in whose user proves the password again: its failures count apart.
SIGNED_IN = "signed in"
_NO_MATCH = _("That account name or e-mail and that password don’t belong together.")


class AccountAdapter(DefaultAccountAdapter):
    """Log-in by account name or e-mail; registration is `register_account()`, never allauth's.

    Failed log-ins are counted per e-mail or account name and client network, so that a stranger
    cannot lock an owner out, and per client network. The owner gets an e-mail.
    """

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _NO_MATCH,
        "email_password_mismatch": _NO_MATCH,
        "incorrect_password": _("That is not your password."),
        "incorrect_code": _("That is not the code."),
    }

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return the user who may log in with these credentials, or None.

        Raises LimitReached, MailboxUnproven or Busy.
        """
        login = str(credentials.get("email") or credentials.get("username") or "")
        password, owner = str(credentials["password"]), find_owner(login)
        browser = find_known_browser(request, owner)
        if check_guess(login=login, owner=owner, password=password, browser=browser):
            return owner
        log_security_event("login.failed", user=owner.pk if owner else None)
        return None

    def reauthenticate(self, user: User, password: str) -> bool:
        """Return whether this is the user's password; failures count as failed log-ins."""
        login = user.account_name
        return check_guess(login=login, owner=user, password=password, browser=SIGNED_IN)

    def pre_login(
        self, request: HttpRequest, user: User, **hook_kwargs: Any
    ) -> HttpResponse | None:
        """Stop a user who may not log in, whichever way they came this far."""
        if may_log_in(user):
            return None
        request.session.flush()
        return HttpResponseRedirect(reverse("account_login"))

    def login(self, request: HttpRequest, user: User) -> None:
        """Log in with a new session; of the anonymous one only how the user logged in is kept."""
        session = request.session
        methods = {name: entry for name, entry in session.items() if name.startswith(_METHODS)}
        issuer_login = issuer_login_of(session, user)
        session.flush()
        session.update(methods)
        if issuer_login is not None:
            session[ISSUER_LOGIN] = issuer_login
        super().login(request, user)
        begin_login(request.session)
        log_security_event("login.succeeded", actor=user.pk)

    def where_from(self, request: HttpRequest, next_url: str | None) -> dict[str, Any]:
        """Return what the log-in page shows of the page it leads to: nothing here."""
        return {}

    def post_login(
        self, request: HttpRequest, user: User, *, redirect_url: str | None, **options: Any
    ) -> HttpResponse:
        response: HttpResponse = super().post_login(
            request, user, redirect_url=redirect_url, **options
        )
        remember_known_browser(response, user)
        return response

    def get_login_stages(self) -> list[str]:
        """Return the second factor only: the e-mail address is proven before there is a user."""
        return ["accounts.stages.SecondFactorStage"]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        if not url.startswith("/") or _NEVER_IN_A_URL.search(unquote(url)):
            return False
        if not url_has_allowed_host_and_scheme(url, allowed_hosts=None):
            return False
        try:
            resolve(unquote(urlsplit(url).path))
        except (Resolver404, ValueError):
            return False
        return True

    def is_ajax(self, request: HttpRequest) -> bool:
        """Return False: allauth's JSON answers repeat what was typed, passwords included."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> NoReturn:
        """Refuse: e-mails are sent through the outbox."""
        raise NotImplementedError(template_prefix)


class SecondFactorAdapter(DefaultMFAAdapter):
    def is_mfa_enabled(
        self, user: User | AnonymousUser, types: Collection[str] | None = None
    ) -> bool:
        """As allauth's, by a query that is compiled once: every log-in asks it."""
        found = second_factor_types(user.pk)
        return bool(found if types is None else found.intersection(types))

"""Logging in and out: allauth's pages, with this project's forms and status codes."""

from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.views import LoginView, LogoutView, ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.hashers import hashing_turn
from accounts.issuer_logins import issuer_of_login, names_issuers
from accounts.services.log_in import MailboxUnproven
from accounts.views.mailbox_proof import ask_for_proof
from web.answers import ViewFunction, adapt_allauth_view, as_refusal
from web.limits import LimitReached
from web.typed import keep_unsent


class _Mounted:
    """Form errors are answered 400, and the page has only a `next` on this site.

    Someone whose POST led here (`note_unsent()`) reads it here and again after the log-in.
    """

    request: HttpRequest

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        context = super().get_context_data(**options)  # type: ignore[misc]
        get_next_url = getattr(self, "get_next_url", None)
        next_url = get_next_url() if get_next_url else None
        return {**context, **get_adapter().where_from(self.request, next_url), "next_url": next_url}

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response = super().render_to_response(context, **options)  # type: ignore[misc]
        response.add_post_render_callback(lambda _rendered: keep_unsent(self.request))
        return cast("HttpResponse", response)

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 400
        return response


class _LogInView(LoginView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not settings.PASSWORD_LOGIN:
            raise Http404
        try:
            with hashing_turn():
                response: HttpResponse = super().post(request, *args, **options)
        except MailboxUnproven as unproven:
            return ask_for_proof(request, unproven)
        except LimitReached as reached:
            return self._answer_too_often(reached)
        return response

    def _answer_too_often(self, reached: LimitReached) -> HttpResponse:
        """Say how long to wait, on the same page; the login that was typed is kept."""
        login = {"login": self.request.POST.get("login", "")}
        form = self.get_form_class()(request=self.request, initial=login)
        context = self.get_context_data(form=form, retry_after_seconds=reached.seconds)
        return as_refusal(self.render_to_response(context), reached.again_at)


class _LogOutView(LogoutView):  # type: ignore[misc]
    """Says that the log-in at the issuer goes on, before and after."""

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        return {**super().get_context_data(**options), "issuer": issuer_of_login(self.request)}

    def post(self, *args: Any, **options: Any) -> HttpResponse:
        issuer = issuer_of_login(self.request)
        response: HttpResponse = super().post(*args, **options)
        if issuer is not None:
            text = _("You are still logged in at %(issuer)s. Log out there too on a shared device.")
            messages.info(self.request, text % {"issuer": issuer.name})
        return response


def _mount(view: Any) -> ViewFunction:
    mounted: Any = type(view.__name__, (_Mounted, view), {})
    # Checked first: allauth redirects a logged-in user for every method.
    return require_http_methods(["GET", "HEAD", "POST"])(adapt_allauth_view(mounted.as_view()))


log_in = names_issuers(_mount(_LogInView))
log_out = _mount(_LogOutView)
confirm = _mount(ReauthenticateView)
second_factor = _mount(AuthenticateView)

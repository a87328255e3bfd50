"""Logging in and out: allauth's pages, with this project's forms and status codes."""

from typing import Any

from allauth.account.views import LoginView, LogoutView, ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from accounts.hashers import hashing_turn
from accounts.services.log_in import MailboxUnproven
from accounts.views.mailbox_proof import ask_for_proof
from web.answers import ViewFunction, adapt_allauth_view


class _Mounted:
    """Form errors are a 400, only the declared methods exist, `next` shows only if ours."""

    http_method_names = ["get", "head", "post"]

    def get_context_data(self, **options: Any) -> dict[str, Any]:
        context = super().get_context_data(**options)  # type: ignore[misc]
        get_next_url = getattr(self, "get_next_url", None)
        return {**context, "next_url": get_next_url() if get_next_url else None}

    def form_invalid(self, form: Form) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if response.status_code == 200:
            response.status_code = 400
        return response


class _LogInView(LoginView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            with hashing_turn():
                response: HttpResponse = super().post(request, *args, **options)
        except MailboxUnproven as unproven:
            return ask_for_proof(request, unproven)
        return response


def _mount(view: Any) -> ViewFunction:
    mounted: Any = type(view.__name__, (_Mounted, view), {})
    return adapt_allauth_view(mounted.as_view())


log_in = _mount(_LogInView)
log_out = _mount(LogoutView)
confirm = _mount(ReauthenticateView)
second_factor = _mount(AuthenticateView)

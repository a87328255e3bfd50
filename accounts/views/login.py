"""Logging in and out: allauth's pages, with this project's forms and status codes."""

from typing import Any

from allauth.account.views import LoginView, LogoutView, ReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from django.forms import Form
from django.http import HttpResponse

from web.answers import adapt_allauth_view


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


class _LogInView(_Mounted, LoginView):  # type: ignore[misc]
    pass


class _LogOutView(_Mounted, LogoutView):  # type: ignore[misc]
    pass


class _ConfirmView(_Mounted, ReauthenticateView):  # type: ignore[misc]
    pass


class _SecondFactorView(_Mounted, AuthenticateView):  # type: ignore[misc]
    pass


log_in = adapt_allauth_view(_LogInView.as_view())
log_out = adapt_allauth_view(_LogOutView.as_view())
confirm = adapt_allauth_view(_ConfirmView.as_view())
second_factor = adapt_allauth_view(_SecondFactorView.as_view())

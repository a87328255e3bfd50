"""A log-in during the journey, which enters the attempt."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone

from accounts.adapters import AccountAdapter
from accounts.models import CustomerAccount, User
from association.enums import Step
from association.services.attempts import enter_attempt, find_attempt
from association.views.gate import is_addressed_to, is_of_browser, progress, step_url
from web.refused import Refused


class JourneyAccountAdapter(AccountAdapter):
    def where_from(self, request: HttpRequest, next_url: str | None) -> dict[str, Any]:
        """Show the step, the partner and the way back, if this browser began the attempt."""
        attempt_id = attempt_in(next_url or "")
        if attempt_id is None or settings.BROWSER_COOKIE_NAME not in request.COOKIES:
            return {}
        attempt = find_attempt(attempt_id)
        if attempt is None or attempt.account is not None or not is_of_browser(request, attempt):
            return {}
        return {
            "partner": attempt.invitation.partner,
            "back_url": step_url(attempt, Step.ACCOUNT),
            **progress(attempt.invitation, Step.REGISTER),
        }

    def post_login(
        self, request: HttpRequest, user: User, *, redirect_url: str | None, **options: Any
    ) -> HttpResponse:
        """Enter the attempt that the log-in returns to, if it is this browser's or the user's."""
        response = super().post_login(request, user, redirect_url=redirect_url, **options)
        attempt_id = attempt_in(response.get("Location", ""))
        if attempt_id is not None:
            _enter(request, user, attempt_id)
        return response


def attempt_in(url: str) -> UUID | None:
    try:
        found: UUID | None = resolve(url.partition("?")[0]).kwargs.get("attempt_id")
    except Resolver404:
        return None
    return found


def _enter(request: HttpRequest, user: User, attempt_id: UUID) -> None:
    attempt = find_attempt(attempt_id)
    account = CustomerAccount.objects.filter(owner=user).first()
    if attempt is None or attempt.account is not None or account is None:
        return
    # Another tab may have been quicker; then the next page answers for it.
    with suppress(Refused):
        if is_of_browser(request, attempt) or is_addressed_to(user, attempt):
            enter_attempt(attempt=attempt, account=account, now=timezone.now())

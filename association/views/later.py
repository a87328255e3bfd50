"""Enable later: the page that says until when, and its calendar file."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from association.enums import Step
from association.services.admission import account_of
from association.services.attempts import (
    defer_attempt,
    has_resume_email,
    last_moment_to_associate,
)
from association.services.last_day_reminders import last_day_reminder_at
from association.views.gate import Journey, attempt_step, resume_url, step_url
from association.views.own import signed_in
from web.answers import see_other
from web.calendars import CalendarEntry
from web.downloads import calendar_download

ALARM = timedelta(hours=24)


@attempt_step(Step.ENABLE)
def enable_later(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Leave the attempt for later, e-mail the link back, and show until when it can be finished."""
    attempt = journey.attempt
    if request.method == "POST":
        defer_attempt(attempt=attempt, by=signed_in(request), now=journey.now)
        return see_other("join_enable_later", attempt.pk)
    if attempt.deferred_at is None:
        return see_other(step_url(attempt, Step.ENABLE))
    context = {
        "attempt": attempt,
        "partner": journey.partner,
        "last_moment": last_moment_to_associate(attempt),
        "reminded_at": last_day_reminder_at(attempt, journey.now),
        # Another attempt of the account may have got the e-mail of the day.
        "is_emailed": has_resume_email(attempt),
    }
    return render(request, "association/later.html", context)


@require_safe
@attempt_step(Step.ENABLE)
def calendar(request: HttpRequest, journey: Journey) -> HttpResponse:
    """Send the last moment as a calendar file. Its link is the attempt's, not the invitation's."""
    attempt, last_moment = journey.attempt, last_moment_to_associate(journey.attempt)
    if attempt.deferred_at is None or last_moment is None:
        raise Http404
    return calendar_download("join", _entry(journey, attempt.deferred_at, last_moment))


def _entry(journey: Journey, written_at: datetime, last_moment: datetime) -> CalendarEntry:
    names = {
        "partner": journey.partner.name,
        "provider": settings.PROVIDER_NAME,
        "account": account_of(journey.attempt).owner.account_name,
    }
    return CalendarEntry(
        uid=f"{journey.attempt.pk}@{urlsplit(settings.PUBLIC_BASE_URL).hostname}",
        written_at=written_at,
        ends_at=last_moment,
        alarm=ALARM,
        summary=gettext("Last moment to join %(partner)s") % names,
        description=gettext("Log in to %(provider)s with the account %(account)s, and associate.")
        % names,
        url=f"{settings.PUBLIC_BASE_URL}{resume_url(journey.attempt)}",
        product_id=f"-//{settings.PROVIDER_NAME}//Partner association//EN",
    )

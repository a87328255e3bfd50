"""Reminders to customers who enable later, a day before their account can no longer join."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from association.models import Association, Attempt, ResumeReminder
from association.models.attempts import AttemptQuerySet
from association.services.admission import account_of
from association.services.attempts import last_moment_of
from association.services.eligibility import REGISTRATION_WINDOW
from outbox.services.queue import OutgoingMessage, enqueue_messages
from partners.models import Invitation

KIND = "association.resume_reminder"
AHEAD = timedelta(hours=24)
# With less time left the e-mail might be read too late to be of use.
LEAST_TIME = timedelta(hours=3)
CHUNK = 50


def remind_of_last_day(*, now: datetime) -> int:
    """Enqueue the reminders of some attempts for which the last day has begun; return how many.

    A customer gets one per invitation, about the newest attempt. None is sent when the customer
    chose to enable later within the last day: the e-mail about that has just named the last moment.
    """
    due = list(due_attempts(now).order_by("-deferred_at")[:CHUNK])
    if not due:
        return 0
    with transaction.atomic():
        reminded = [attempt for attempt in due if _is_first(attempt, now)]
        enqueue_messages(messages=[_message(attempt) for attempt in reminded], now=now)
    return len(reminded)


def resumable_attempts(now: datetime) -> AttemptQuerySet:
    """Return the attempts that were put off and can still be finished, with account and owner.

    One that was refused since it was put off is left out: its customer has read why.
    """
    associated = Association.objects.in_force().filter(account=OuterRef("account"))
    return (
        Attempt.objects.select_related("account__owner")
        .filter(
            # Bounds what is read, by an index: an attempt is put off only after registering.
            deferred_at__gt=now - REGISTRATION_WINDOW,
            account__registered_at__gt=now - REGISTRATION_WINDOW,
            account__owner__is_active=True,
            invitation__in=Invitation.objects.live(now),
            refused_at__isnull=True,
            association__isnull=True,
        )
        .exclude(Exists(associated))
    )


def last_day_reminder_at(attempt: Attempt, now: datetime) -> datetime | None:
    """Return when the customer of an attempt that was put off is reminded, if that is to come."""
    reminded_at = last_moment_of(account_of(attempt)) - AHEAD
    is_due = attempt.deferred_at is not None and attempt.deferred_at < reminded_at
    return reminded_at if is_due and now < reminded_at else None


def due_attempts(now: datetime) -> AttemptQuerySet:
    """Return the resumable attempts of which the customer is to be reminded."""
    begun = now + AHEAD - REGISTRATION_WINDOW
    reminders = ResumeReminder.objects.filter(
        account=OuterRef("account"), invitation=OuterRef("invitation")
    )
    return (
        resumable_attempts(now)
        .filter(
            deferred_at__lt=F("account__registered_at") + (REGISTRATION_WINDOW - AHEAD),
            account__registered_at__lte=begun,
            account__registered_at__gt=now + LEAST_TIME - REGISTRATION_WINDOW,
        )
        .exclude(Exists(reminders))
    )


def _is_first(attempt: Attempt, now: datetime) -> bool:
    # Another worker may have found the same one: the constraint lets one of them be the first.
    _, is_first = ResumeReminder.objects.get_or_create(
        account_id=attempt.account_id,
        invitation_id=attempt.invitation_id,
        defaults={"reminded_at": now},
    )
    return is_first


def _message(attempt: Attempt) -> OutgoingMessage:
    account = account_of(attempt)
    useless_at = account.registered_at + REGISTRATION_WINDOW - LEAST_TIME
    return OutgoingMessage(
        KIND, account.owner.email, attempt, attempt.language, deadline_at=useless_at
    )

"""Reminders of the last day to customers who enable later."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from association.models import Attempt, ResumeReminder
from association.services.last_day_reminders import LEAST_TIME, remind_of_last_day
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from tests.factories import CustomerAccountFactory
from tests.factories.association import AttemptFactory, make_associated
from tests.reading_mails import links, only_in_text, write

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
KIND = "association.resume_reminder"


def put_off(age=6 * DAY + MINUTE, *, after=DAY, **values) -> Attempt:
    """An attempt put off `after` its account was registered, which was `age` ago."""
    registered_at = NOW - age
    account = CustomerAccountFactory.create(registered_at=registered_at)
    values = {"deferred_at": registered_at + after, "account": account, **values}
    return AttemptFactory.create(entered_at=registered_at, **values)


def reminded() -> list[str]:
    return list(OutboxMessage.objects.filter(kind=KIND).values_list("about_id", flat=True))


@pytest.mark.parametrize(
    ("age", "is_due"),
    [
        (5 * DAY, False),
        (6 * DAY - MINUTE, False),
        (6 * DAY, True),
        (6 * DAY + MINUTE, True),
        (7 * DAY - LEAST_TIME - MINUTE, True),
        (7 * DAY - LEAST_TIME, False),
        (8 * DAY, False),
    ],
)
def test_reminder_is_sent_on_the_last_day_while_it_is_of_use(age, is_due):
    attempt = put_off(age)

    assert remind_of_last_day(now=NOW) == int(is_due)
    assert reminded() == [str(attempt.pk)] * is_due


def test_each_customer_is_reminded_once_per_invitation():
    attempts = [put_off() for _ in range(3)]

    assert [remind_of_last_day(now=NOW), remind_of_last_day(now=NOW + MINUTE)] == [3, 0]
    assert sorted(reminded()) == sorted(str(attempt.pk) for attempt in attempts)
    first = {"account": attempts[0].account, "invitation": attempts[0].invitation}
    with pytest.raises(IntegrityError), transaction.atomic():
        ResumeReminder.objects.create(**first, reminded_at=NOW)


def test_of_two_attempts_of_one_invitation_the_newest_is_reminded_of():
    older = put_off()
    newest = AttemptFactory.create(
        account=older.account,
        invitation=older.invitation,
        entered_at=older.entered_at,
        deferred_at=older.deferred_at + MINUTE,
    )

    assert [remind_of_last_day(now=NOW), remind_of_last_day(now=NOW + MINUTE)] == [1, 0]
    assert reminded() == [str(newest.pk)]


def test_reminder_goes_to_the_owner_and_ends_when_it_is_of_no_use():
    attempt = put_off(language="en")
    remind_of_last_day(now=NOW)

    message = OutboxMessage.objects.get(kind=KIND)
    assert (message.recipient, message.language) == (attempt.account.owner.email, "en")
    assert message.deadline_at == attempt.account.registered_at + 7 * DAY - LEAST_TIME


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"deferred_at": None}, id="never put off"),
        pytest.param({"after": 6 * DAY}, id="put off on the last day"),
        pytest.param({"invitation__revoked": True}, id="revoked"),
        pytest.param({"invitation__expired": True}, id="expired"),
        pytest.param({"invitation__partner__frozen": True}, id="partner frozen"),
        pytest.param({"refused": True}, id="refused"),
    ],
)
def test_who_cannot_or_need_not_finish_is_not_reminded(values):
    put_off(**values)

    assert remind_of_last_day(now=NOW) == 0
    assert reminded() == []


def test_who_has_joined_or_was_erased_is_not_reminded():
    association = make_associated()
    association.attempt.account.registered_at = NOW - 6 * DAY - MINUTE
    association.attempt.account.save()
    # The same account has put off another partner's invitation.
    moments = {"entered_at": NOW - 5 * DAY, "deferred_at": NOW - 5 * DAY}
    Attempt.objects.filter(pk=association.attempt.pk).update(**moments)
    AttemptFactory.create(account=association.account, **moments)
    erased = put_off()
    erased.account.owner.is_active = False
    erased.account.owner.save()

    assert remind_of_last_day(now=NOW) == 0


def test_reminder_names_the_last_moment_with_its_zone_and_leads_back():
    attempt = put_off()
    email = write(KIND, attempt)

    assert email.subject == f"The last day to join {attempt.invitation.partner.name}"
    assert links(email) == {f"/join/{attempt.pk}/"}
    assert only_in_text(email) == set()
    assert "UTC." in email.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"age": 7 * DAY - LEAST_TIME + MINUTE}, "too late to join"),
        ({"invitation__revoked": True}, "invitation_revoked"),
    ],
)
def test_reminder_that_comes_too_late_is_stale(values, reason):
    with pytest.raises(Stale, match=f"^{reason}$"):
        write(KIND, put_off(**values))


def test_reminder_of_a_finished_attempt_is_stale():
    with pytest.raises(Stale, match=r"^already associated$"):
        write(KIND, make_associated().attempt)


@pytest.mark.parametrize("rows", [1, 3])
def test_nothing_due_takes_one_statement(rows, django_assert_num_queries):
    for _ in range(rows):
        put_off(5 * DAY)
    with django_assert_num_queries(1):
        remind_of_last_day(now=NOW)

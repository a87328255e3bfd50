"""How much may be made and mailed within a day: by one partner, by all, exactly, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from outbox.models import OutboxMessage
from partners.enums import AssociationType, Channel, InvitationProblem
from partners.models import Invitation
from partners.refusals import sentence_for
from partners.services.batches import make_batches, start_links
from partners.services.invitations import create_invitation, create_links, resend_invitation
from partners.services.quotas import check_quotas
from tests.factories import (
    InvitationBatchFactory,
    InvitationFactory,
    PartnerMemberFactory,
)
from web.answers import as_refusal
from web.refused import Refused

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def three_a_day(settings):
    settings.PARTNER_DAILY_INVITATIONS = 3
    settings.PARTNER_DAILY_MAILS = 2


@pytest.fixture
def member():
    return PartnerMemberFactory.create()


def make(member, *, now=NOW, **fields):
    """Let the member make a link, or another invitation by `fields`."""
    fields = {"partner": member.partner, "channel": Channel.LINK, "by": member.user, **fields}
    return create_invitation(
        association_type=AssociationType.RESELLER, label="Spring", now=now, **fields
    )


def mail(member, name, **fields):
    return make(member, channel=Channel.EMAIL, recipient=f"{name}@example.org", **fields)


def made(member, ago, **fields):
    """Return an invitation that the member made so long ago."""
    return InvitationFactory.create(
        partner=member.partner, created_by=member.user, created_at=NOW - ago, **fields
    )


def test_fourth_within_a_day_has_to_wait_until_the_first_is_a_day_old(member):
    for hours in (23, 10, 1):
        made(member, hours * HOUR)
    with pytest.raises(Refused) as refused:
        make(member)
    assert refused.value.code == InvitationProblem.QUOTA_REACHED
    assert refused.value.again_at == NOW + HOUR
    assert Invitation.objects.count() == 3
    with pytest.raises(Refused):
        make(member, now=NOW + HOUR - timedelta(microseconds=1))
    assert make(member, now=NOW + HOUR).pk


def test_used_ones_and_those_of_commands_do_not_count(member):
    made(member, HOUR, used_count=1)
    InvitationFactory.create_batch(3, partner=member.partner, created_at=NOW, created_by=None)
    made(member, HOUR, revoked_at=NOW)
    made(member, HOUR)
    assert make(member).pk
    with pytest.raises(Refused):
        make(member)


def test_commands_have_no_quota_and_run_no_query(member, django_assert_num_queries):
    InvitationFactory.create_batch(3, partner=member.partner, created_by=member.user)
    with django_assert_num_queries(0):
        check_quotas(partner=member.partner, by=None, now=NOW, made=1000, mailed=1000)
    assert len(create_links(count=9, **terms(member, by=None))) == 9


def test_many_at_once_are_all_or_none(member):
    made(member, HOUR)
    with pytest.raises(Refused) as refused:
        create_links(count=3, **terms(member))
    assert refused.value.again_at == NOW + 23 * HOUR
    assert Invitation.objects.count() == 1
    assert len(create_links(count=2, **terms(member))) == 2


def test_more_than_the_quota_itself_is_not_possible_before_a_day(member):
    with pytest.raises(Refused) as refused:
        create_links(count=4, **terms(member))
    assert refused.value.again_at == NOW + DAY


def terms(member, **fields):
    return {
        "partner": member.partner,
        "association_type": AssociationType.RESELLER,
        "label": "Fair {n}",
        "by": member.user,
        "now": NOW,
        **fields,
    }


def test_partner_does_not_use_up_the_quota_of_another(member):
    for _ in range(3):
        made(member, HOUR)
    assert make(PartnerMemberFactory.create()).pk


def test_what_a_running_batch_will_make_counts_as_made(member):
    batch = InvitationBatchFactory.create(partner=member.partner, size=3, created_at=NOW)
    with pytest.raises(Refused) as refused:
        make(member)
    assert refused.value.again_at == NOW + DAY
    batch.cancelled_at = NOW
    batch.save()
    assert make(member).pk


def test_invitation_of_a_batch_is_not_counted_twice(member):
    start_links(by=member.user, now=NOW, size=3, **batch_terms(member))
    assert make_batches(now=NOW) == 3
    assert Invitation.objects.count() == 3


def batch_terms(member):
    return {"partner": member.partner, "association_type": "reseller", "label": "Fair {n}"}


def test_all_partners_together_have_a_quota(member, settings):
    settings.DAILY_INVITATIONS = 2
    other = PartnerMemberFactory.create()
    made(other, 20 * HOUR)
    InvitationBatchFactory.create(partner=other.partner, size=1, created_at=NOW)
    with pytest.raises(Refused) as refused:
        make(member)
    assert refused.value.again_at == NOW + 4 * HOUR


def test_third_email_within_a_day_is_neither_made_nor_mailed(member):
    mail(member, "ann", now=NOW - 20 * HOUR)
    mail(member, "bea")
    with pytest.raises(Refused) as refused:
        mail(member, "cid")
    assert refused.value.again_at == NOW + 4 * HOUR
    assert (Invitation.objects.count(), OutboxMessage.objects.count()) == (2, 2)
    assert make(member).mailed_at is None


def test_emails_of_all_partners_together_have_a_quota(member, settings):
    settings.DAILY_MAILS = 1
    mail(PartnerMemberFactory.create(), "ann")
    with pytest.raises(Refused):
        mail(member, "bea")
    assert mail(member, "bea", mailed=False).mailed_at is None


def test_email_sent_again_counts_once_a_day(member):
    old = made(member, 3 * DAY, email=True, mailed_at=NOW - 3 * DAY)
    first = mail(member, "ann")
    again = resend_invitation(invitation=first, by=member.user, now=NOW + HOUR)
    assert again.mailed_at == NOW + HOUR
    resend_invitation(invitation=old, by=member.user, now=NOW + HOUR)
    other = made(member, 3 * DAY, email=True, mailed_at=NOW - 3 * DAY)
    with pytest.raises(Refused) as refused:
        resend_invitation(invitation=other, by=member.user, now=NOW + 2 * HOUR)
    assert refused.value.again_at == NOW + HOUR + DAY
    other.refresh_from_db()
    assert other.mailed_at == NOW - 3 * DAY


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("counts", "statements"), [({"made": 1}, 2), ({"made": 1, "mailed": 1}, 4)]
)
def test_each_quota_takes_two_statements_and_one_lock(
    member, settings, django_assert_num_queries, rows, counts, statements
):
    settings.PARTNER_DAILY_INVITATIONS = settings.PARTNER_DAILY_MAILS = 100
    for _ in range(rows):
        made(member, HOUR)
        InvitationBatchFactory.create(partner=member.partner, size=1, created_at=NOW)
    lock = 1 if connection.vendor == "postgresql" else 0
    with django_assert_num_queries(lock + statements):
        check_quotas(partner=member.partner, by=member.user, now=NOW, **counts)


def test_sentence_says_when_in_the_readers_zone():
    refused = Refused(
        InvitationProblem.QUOTA_REACHED, again_at=datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC)
    )
    with timezone.override("Europe/Berlin"):
        assert sentence_for(refused).endswith("Possible again from 4 May 2026, 14:31 CEST.")


def test_page_of_a_quota_is_429_and_says_how_many_seconds():
    with time_machine.travel(NOW, tick=False):
        answer = as_refusal(HttpResponse(status=400), NOW + timedelta(seconds=9.2))
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    answer = as_refusal(HttpResponse(status=400), None)
    assert (answer.status_code, "Retry-After" in answer) == (409, False)


@pytest.mark.parametrize("name", ["PARTNER_DAILY_INVITATIONS", "DAILY_INVITATIONS"])
def test_a_quota_of_nothing_lets_nothing_be_made(settings, member, name):
    setattr(settings, name, 0)

    with pytest.raises(Refused):
        make(member)

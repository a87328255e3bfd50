"""Who was refused, and has joined by another way since, is neither written to nor invited."""

from contextlib import nullcontext

import pytest
from django.test import Client
from django.utils import timezone

from association.enums import AssociationRefusal
from association.services.following_up import follow_up
from association.services.partner_messages import advise
from outbox.models import OutboxMessage
from outbox.services.rendering import Stale
from tests.factories import (
    AttemptFactory,
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)
from tests.reading_mails import write
from web.refused import Refused

pytestmark = pytest.mark.django_db

ADVICE = "association.advice"
NOW = timezone.now()
CODES = ["unpaid_bills", "existing_account_not_allowed"]


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


def refused(boss, codes=CODES):
    invitation = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    return AttemptFactory.create(
        invitation=invitation, entered=True, refused=True, refusal_codes=codes
    )


def join(attempt, partner=None):
    values = {"partner": partner} if partner else {}
    make_associated(account=attempt.account, invitation=InvitationFactory.create(**values))


def context_of(boss, path):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    return client.get(path).context


def labels_on_page(boss, attempt):
    context = context_of(boss, f"/partner/history/{attempt.pk}/")
    return context["message"] is not None, [refusal["label"] for refusal in context["refusals"]]


def action_in_list(boss):
    [row] = context_of(boss, "/partner/history/?outcome=refused")["rows"]
    return row["action"] and row["action"].label


@pytest.mark.parametrize("joins_own", [True, False], ids=["the partner", "another partner"])
def test_nothing_is_sent_to_who_joined_by_another_way(boss, joins_own):
    attempt = refused(boss)
    assert labels_on_page(boss, attempt) == (
        True,
        ["Send the message", "Send an online invitation"],
    )
    assert action_in_list(boss) == "Send an online invitation"
    join(attempt, boss.partner if joins_own else None)

    for send in (
        lambda: advise(attempt=attempt, by=boss.user, now=NOW),
        lambda: follow_up(
            attempt=attempt, operation="send_online_invitation", by=boss.user, now=NOW
        ),
    ):
        with pytest.raises(Refused) as refusal:
            send()
        assert refusal.value.code == AssociationRefusal.NOT_POSSIBLE
    assert not OutboxMessage.objects.filter(kind=ADVICE).exists()
    assert labels_on_page(boss, attempt) == (False, ["", ""])
    assert action_in_list(boss) is None


def test_advice_that_waits_is_not_sent_after_joining(boss):
    attempt = refused(boss)
    assert "That is not possible" in write(ADVICE, attempt).text
    join(attempt, boss.partner)
    with pytest.raises(Stale, match="joined by another way"):
        write(ADVICE, attempt)


@pytest.mark.parametrize(("joins_own", "is_sent"), [(False, True), (True, False)])
def test_advice_about_another_partner_ends_with_joining_this_one(boss, joins_own, is_sent):
    attempt = refused(boss, ["other_partner"])
    join(attempt, boss.partner if joins_own else None)
    assert labels_on_page(boss, attempt)[0] is is_sent
    assert (action_in_list(boss) == "Send the message") is is_sent
    with nullcontext() if is_sent else pytest.raises(Refused):
        advise(attempt=attempt, by=boss.user, now=NOW)
    assert OutboxMessage.objects.filter(kind=ADVICE).exists() is is_sent

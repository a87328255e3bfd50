"""Two members remind one person at the same moment: one e-mail."""

import threading
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from association.enums import MessageKind
from association.models import PartnerMessage
from association.services import partner_messages
from association.services.partner_messages import PAUSE, remind_to_finish
from outbox.models import OutboxMessage
from tests.association.test_races import PATIENCE, at_once
from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
)
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def remind_twice():
    """Let two members look before either writes; the last reminder is a day old."""
    now = timezone.now()
    with transaction.atomic():
        boss = PartnerMemberFactory.create(administrator=True)
        account = CustomerAccountFactory.create(registered_at=now - timedelta(days=3))
        moments = {"entered_at": account.registered_at, "deferred_at": account.registered_at}
        attempts = [
            AttemptFactory.create(
                invitation=InvitationFactory.create(partner=boss.partner),
                account=account,
                **moments,
            )
            for _ in range(2)
        ]
        PartnerMessage.objects.create(
            partner=boss.partner,
            account=account,
            kind=MessageKind.REMINDER,
            attempt=attempts[0],
            sent_at=now - PAUSE,
        )

    def remind(attempt):
        try:
            remind_to_finish(attempt=attempt, by=boss.user, now=now)
        except Refused:
            return "refused"
        return "sent"

    return at_once(remind, attempts), OutboxMessage.objects.count()


def test_one_of_two_members_sends():
    answers, emails = remind_twice()
    assert (sorted(answers), emails) == (["refused", "sent"], 1)


def test_without_the_lock_both_send(monkeypatch):
    """The control: both read the old reminder before the first writes."""
    both_have_looked = threading.Barrier(2)
    look = partner_messages._newest

    def look_then_wait(*arguments):
        newest = look(*arguments)
        both_have_looked.wait(timeout=PATIENCE)
        return newest

    monkeypatch.setattr(partner_messages, "lock_with_account", lambda attempt: attempt)
    monkeypatch.setattr(partner_messages, "_newest", look_then_wait)
    assert remind_twice() == (["sent", "sent"], 2)

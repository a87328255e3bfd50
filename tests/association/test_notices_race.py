"""Telling the partner and enabling later, pressed in many tabs at once: one e-mail.

The account's lock and a constraint each suffice; the control removes both and gets several.
"""

from contextlib import contextmanager, suppress

import pytest
from django.core.exceptions import MultipleObjectsReturned
from django.db import connection, transaction
from django.utils import timezone

from association.models import PartnerTold, ResumeEmail
from association.services import attempts as service
from association.services.attempts import defer_attempt, lock_unfinished, tell_partner
from outbox.models import OutboxMessage
from tests.association.test_races import at_once
from tests.factories import BillFactory, CustomerAccountFactory, PartnerMemberFactory
from tests.journeys.walk import invite, ready_attempt

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

TABS = 6


def tell(attempt):
    tell_partner(attempt=attempt, now=timezone.now())


def defer(attempt):
    defer_attempt(attempt=attempt, by=attempt.account.owner, now=timezone.now())


ACTIONS = [
    pytest.param(tell, PartnerTold, "association.customer_refused", id="tell"),
    pytest.param(defer, ResumeEmail, "association.resume", id="later"),
]


@contextmanager
def without_constraint(model):
    guard = model._meta.constraints[0]
    with connection.schema_editor() as editor:
        editor.remove_constraint(model, guard)
    try:
        yield
    finally:
        model.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(model, guard)


def e_mails(act, kind):
    """Press the button in several attempts of one account and return how many e-mails there are."""
    with transaction.atomic():
        account = CustomerAccountFactory.create()
        BillFactory.create(account=account)
        invitation = invite(account)
        PartnerMemberFactory.create(partner=invitation.partner, administrator=True)
        tabs = [ready_attempt(account=account, invitation=invitation) for _ in range(TABS)]
    at_once(act, tabs)
    return OutboxMessage.objects.filter(kind=kind).count()


@pytest.mark.parametrize("guard", ["lock and constraint", "lock", "constraint"])
@pytest.mark.parametrize(("act", "model", "kind"), ACTIONS)
def test_one_e_mail_for_many_tabs(monkeypatch, act, model, kind, guard):
    if guard == "constraint":
        monkeypatch.setattr(service, "lock_with_account", lock_unfinished)
    if guard == "lock":
        with without_constraint(model):
            assert e_mails(act, kind) == 1
    else:
        assert e_mails(act, kind) == 1


@pytest.mark.parametrize(("act", "model", "kind"), ACTIONS)
def test_without_lock_and_constraint_there_are_several(monkeypatch, act, model, kind):
    monkeypatch.setattr(service, "lock_with_account", lock_unfinished)

    def press(tab):
        # A tab that comes after two others finds both of their rows, where it expects one.
        with suppress(MultipleObjectsReturned):
            act(tab)

    sent = 1

    with without_constraint(model):
        for _ in range(20):
            OutboxMessage.objects.all().delete()
            sent = e_mails(press, kind)
            if sent > 1:
                break
    assert sent > 1

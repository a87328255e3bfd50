"""The provider freezes while an association ends, and unfreezes twice; on PostgreSQL."""

import threading

import pytest
from django.db import models
from django.utils import timezone

from accounts.enums import FreezeScope
from accounts.services.freezes import close_freezes
from association.services.endings import end_association
from association.services.invariants.checking import find_violations
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.association.test_races import PATIENCE, at_once
from tests.factories import PartnerMemberFactory, UserFactory, make_associated

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 6


@pytest.fixture
def admin():
    return UserFactory.create(is_staff=True)


@pytest.fixture
def association():
    association = make_associated()
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    return association


def freeze(association, admin):
    return freeze_for_provider(
        account=association.account,
        scope=FreezeScope.ACCOUNT,
        reason="Abuse",
        by=admin,
        now=timezone.now(),
    )


def unfreeze(association, admin):
    return unfreeze_for_provider(
        account=association.account, reason="Cleared", by=admin, now=timezone.now()
    )


def mailed(kind):
    return OutboxMessage.objects.filter(kind=kind).count()


def test_freeze_stays_whether_it_comes_before_or_after_the_end(admin):
    for _ in range(ROUNDS):
        association = make_associated()
        PartnerMemberFactory.create(partner=association.partner, administrator=True)

        def act(what, association=association):
            if what == "freeze":
                freeze(association, admin)
            else:
                end_association(
                    association=association, reason="Moved", by=admin, now=timezone.now()
                )

        at_once(act, ["freeze", "end"])

        association.refresh_from_db()
        assert association.has_ended
        causes = association.account.freezes.open().values_list("cause", flat=True)
        assert list(causes) == ["administrator"]
    assert mailed("association.frozen") == ROUNDS
    # The partner hears of it only if it still was the partner.
    assert mailed("association.customer_frozen") <= ROUNDS
    assert list(find_violations()) == []


def test_two_unfreezes_are_one_and_send_one_e_mail(admin, association):
    for done in range(1, ROUNDS + 1):
        freeze(association, admin)
        lifted = at_once(lambda _: len(unfreeze(association, admin)), range(2))
        assert sorted(lifted) == [0, 1]
        assert mailed("association.unfrozen") == mailed("association.customer_unfrozen") == done
    assert AuditEvent.objects.filter(action="freeze.closed").count() == ROUNDS


def test_without_the_lock_two_unfreezes_send_two_e_mails(admin, association, monkeypatch):
    """The positive control: the account's lock is what lets only one find the freeze open."""
    freeze(association, admin)
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    gate = threading.Barrier(2)

    def close_together(**options):
        gate.wait(timeout=PATIENCE)
        return close_freezes(**options)

    monkeypatch.setattr(f"{unfreeze_for_provider.__module__}.close_freezes", close_together)

    lifted = at_once(lambda _: len(unfreeze(association, admin)), range(2))

    assert sorted(lifted) == [1, 1]
    assert mailed("association.unfrozen") == 2

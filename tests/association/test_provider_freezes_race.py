"""The provider freezes while an association ends, and unfreezes twice; on PostgreSQL."""

import threading

import pytest
from django.db import models
from django.utils import timezone

from accounts.enums import FreezeScope
from accounts.services.freezes import close_freezes, open_freeze
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


def freeze_and_end(association, admin):
    """Freeze and end at once; return the freeze."""

    def act(what):
        if what == "freeze":
            return freeze(association, admin)
        return end_association(
            association=association, reason="Moved", by=admin, now=timezone.now()
        )

    return at_once(act, ["freeze", "end"])[0]


def was_partner_told(frozen):
    """Return whether the partner got an e-mail about the freeze; its owner always gets one."""
    about = OutboxMessage.objects.filter(
        about_label="accounts.freeze", about_id=frozen.pk, kind__startswith="association."
    )
    kinds = set(about.values_list("kind", flat=True))
    assert kinds >= {"association.frozen"}
    return "association.customer_frozen" in kinds


def came_before_the_end(association, frozen):
    """Return which was first under the account's lock: each writes its audit event there."""
    events = AuditEvent.objects
    opened = events.get(action="freeze.opened", object_id=str(frozen.pk))
    ended = events.get(action="association.ended", object_id=str(association.pk))
    return opened.pk < ended.pk


def test_freeze_stays_whether_it_comes_before_or_after_the_end(admin):
    for _ in range(ROUNDS):
        association = make_associated()
        PartnerMemberFactory.create(partner=association.partner, administrator=True)

        frozen = freeze_and_end(association, admin)

        association.refresh_from_db()
        assert association.has_ended
        assert list(association.account.freezes.open()) == [frozen]
        # The partner hears of it only if it still was the partner.
        assert was_partner_told(frozen) == came_before_the_end(association, frozen)
    assert mailed("association.frozen") == ROUNDS
    assert list(find_violations()) == []


def test_without_the_lock_a_former_partner_is_told_of_the_freeze(admin, association, monkeypatch):
    """The positive control: the lock is what keeps the association from ending meanwhile."""
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    is_opening, is_ended, ending = threading.Event(), threading.Event(), end_association

    def end_when_opening(**options):
        assert is_opening.wait(timeout=PATIENCE)
        ended = ending(**options)
        is_ended.set()
        return ended

    def open_when_ended(**options):
        is_opening.set()
        assert is_ended.wait(timeout=PATIENCE)
        return open_freeze(**options)

    monkeypatch.setattr(f"{__name__}.end_association", end_when_opening)
    monkeypatch.setattr(f"{freeze_for_provider.__module__}.open_freeze", open_when_ended)

    frozen = freeze_and_end(association, admin)

    assert (was_partner_told(frozen), came_before_the_end(association, frozen)) == (True, False)


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

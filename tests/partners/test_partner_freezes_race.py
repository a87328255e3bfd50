"""Two administrators freeze a partner at once, or unfreeze it; on PostgreSQL."""

import threading

import pytest
from django.db import models
from django.utils import timezone

from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.services import partner_freezes
from partners.services.partner_freezes import freeze_partner, unfreeze_partner
from tests.association.test_races import PATIENCE, at_once
from tests.factories import PartnerFactory, PartnerMemberFactory, UserFactory
from web.refused import Refused

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS, MEMBERS = 6, 2


def partner_with_members(**traits):
    partner = PartnerFactory.create(**traits)
    PartnerMemberFactory.create_batch(MEMBERS, partner=partner)
    return partner


def administrators_at_once(service, partner):
    """Let two administrators call the service at once; return which of them did it."""
    admins = [UserFactory.create(staff=True) for _ in range(2)]

    def act(admin):
        try:
            service(partner=partner, reason=admin.email, by=admin, now=timezone.now())
        except Refused:
            return None
        return admin

    return [admin for admin in at_once(act, admins) if admin is not None]


def mailed(kind, partner):
    return OutboxMessage.objects.filter(kind=kind, about_id=str(partner.pk)).count()


def recorded(action, partner):
    return AuditEvent.objects.filter(action=action, object_id=str(partner.pk)).count()


def test_two_freezes_are_one_and_each_member_gets_one_e_mail():
    for _ in range(ROUNDS):
        partner = partner_with_members()

        [first] = administrators_at_once(freeze_partner, partner)

        partner.refresh_from_db()
        assert (partner.frozen_by, partner.frozen_reason) == (first, first.email)
        assert mailed("partners.frozen", partner) == MEMBERS
        assert recorded("partner.frozen", partner) == 1
    assert list(find_violations()) == []


def test_two_unfreezes_are_one_and_each_member_gets_one_e_mail():
    for _ in range(ROUNDS):
        partner = partner_with_members(frozen=True)

        assert len(administrators_at_once(unfreeze_partner, partner)) == 1

        assert mailed("partners.unfrozen", partner) == MEMBERS
        assert recorded("partner.unfrozen", partner) == 1


@pytest.mark.parametrize(
    ("service", "kind", "is_frozen"),
    [
        (freeze_partner, "partners.frozen", False),
        (unfreeze_partner, "partners.unfrozen", True),
    ],
)
def test_without_the_lock_every_member_gets_two_e_mails(service, kind, is_frozen, monkeypatch):
    """The positive control: the partner's lock is what lets only one find it as it was."""
    partner = partner_with_members(frozen=is_frozen)
    monkeypatch.setattr(
        models.QuerySet, "select_for_update", lambda rows, *args, **options: rows.all()
    )
    together = threading.Barrier(2)
    write = partner_freezes._write

    def write_together(*args, **options):
        together.wait(timeout=PATIENCE)
        write(*args, **options)

    monkeypatch.setattr(partner_freezes, "_write", write_together)

    assert len(administrators_at_once(service, partner)) == 2

    assert mailed(kind, partner) == 2 * MEMBERS

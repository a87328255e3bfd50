"""A batch as a campaign, and actions on many rows, by pressing what the pages offer."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from association.services.bulk_customers import act_on_customers
from association.services.customers import set_budget
from partners.enums import BudgetPeriod, OnExhaustion
from partners.models import Invitation
from partners.services import bulk_actions
from partners.services.batches import make_batches, start_links
from partners.services.bulk_invitations import act_on_invitations
from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated

pytestmark = pytest.mark.browser


@pytest.fixture
def boss(visitor):
    member = PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")
    visitor.open("/account/login/", "login")
    visitor.log_in(member.user, "Overview", variant="console-of-boss")
    return member


@pytest.fixture
def batch(boss):
    now = timezone.now()
    made = start_links(
        partner=boss.partner,
        size=120,
        by=boss.user,
        now=now,
        label="Seat {n}",
        association_type="reseller",
        max_uses=1,
        expires_at=now + timedelta(days=30),
    )
    make_batches(now=now)
    return made


def test_lost_stack_of_labels_is_revoked(visitor, batch):
    visitor.open("/partner/invitations/", "Invitations", variant="folded")
    visitor.follow("Seat 1–120", "Seat 1–120", variant="made")
    visitor.press("Revoke", "Revoke 120 invitations\\?", variant="draft")
    visitor.type("reason", "The box was lost.")
    visitor.press("Revoke 120 invitations", "Revoke 120 invitations", variant="running")
    assert visitor.reads("0 of 120 done")
    act_on_invitations(now=timezone.now())
    while Invitation.objects.filter(revoked_at=None).exists():
        act_on_invitations(now=timezone.now())
    visitor.open(visitor.path, "Revoke 120 invitations", variant="finished")
    assert visitor.reads("120 of 120 done")
    visitor.page.get_by_role("link", name="Back").last.click()
    visitor.look("Seat 1–120", variant="revoked")
    assert visitor.reads("0 invitations are neither used up nor revoked")


def test_part_of_a_stack_is_extended_by_its_numbers(visitor, batch):
    visitor.open(f"/partner/invitations/batches/{batch.pk}/", "Seat 1–120")
    visitor.page.get_by_text("Only those with certain numbers").click()
    visitor.type("first", "20")
    visitor.type("last", "11")
    visitor.press("Extend", "Seat 1–120", status=400, variant="wrong-numbers")
    visitor.type("first", "11")
    visitor.type("last", "20")
    visitor.press("Extend", "Extend 10 invitations\\?", variant="range")


def test_batch_is_renamed_and_found_by_its_name(visitor, batch):
    visitor.open(f"/partner/invitations/batches/{batch.pk}/", "Seat 1–120")
    visitor.follow("Rename", "Rename “Seat 1–120”")
    visitor.type("name", "Spring fair")
    visitor.press("Save", "Spring fair", variant="renamed")
    visitor.open("/partner/search?q=spring", "Search", variant="batch")
    assert visitor.reads("Spring fair")


def test_ticked_invitations_are_extended_with_an_answer_for_each(visitor, boss):
    soon = timezone.now() + timedelta(days=1)
    for number, fields in enumerate(({"expires_at": soon}, {"revoked": True}, {"used_up": True})):
        InvitationFactory.create(
            partner=boss.partner, created_by=boss.user, label=f"Desk {number}", **fields
        )
    # A use without an association breaks an invariant that is looked at afterwards.
    Invitation.objects.filter(used_count=1).update(used_count=0)
    visitor.open("/partner/invitations/", "Invitations", variant="single")
    visitor.page.locator("input[name=row]").first.check()
    assert visitor.reads("1 chosen")
    visitor.page.locator("[data-tick-all]").check()
    assert visitor.reads("3 chosen")
    visitor.press("Extend", "Extend 1 invitation\\?", variant="draft")
    visitor.press("Extend 1 invitation", "Extend 3 invitations", variant="finished")
    assert visitor.reads("1 of 3 done · 2 left alone")
    assert visitor.reads("This invitation has been revoked.")
    assert visitor.reads("It lives longer already.")


def test_all_that_match_are_unfrozen_in_the_background(visitor, boss, monkeypatch):
    monkeypatch.setattr(bulk_actions, "FEW_ROWS", 1)
    for _ in range(26):
        invitation = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
        set_budget(
            association=make_associated(invitation=invitation),
            amount=Decimal("100.00"),
            period=BudgetPeriod.MONTHLY,
            on_exhaustion=OnExhaustion.FREEZE,
            by=boss.user,
            now=timezone.now(),
        )
    visitor.open("/partner/customers/?status=frozen", "Customers", variant="many")
    visitor.tick("all")
    visitor.press("Unfreeze", "Unfreeze 26 customers\\?", variant="draft")
    visitor.type("reason", "All have paid.")
    visitor.press("Unfreeze 26 customers", "Unfreeze 26 customers", variant="running")
    while act_on_customers(now=timezone.now()):
        pass
    visitor.open(visitor.path, "Unfreeze 26 customers", variant="finished")
    assert visitor.reads("26 of 26 done")

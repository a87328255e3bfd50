"""What waited for the account's lock is dated after what it waited for."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from accounts.models import Freeze
from association.enums import Side
from association.models import (
    Association,
    Authorization,
    Budget,
    BudgetRequest,
    DocumentKind,
    EndRequest,
)
from association.services.authorizations import (
    decline_authorization,
    grant_authorization,
    request_authorization,
    revoke_authorization,
)
from association.services.budget_requests import ask_partner
from association.services.customers import (
    assign_manager,
    freeze_customer,
    set_budget,
    unfreeze_customer,
)
from association.services.endings import (
    answer_end_request,
    ask_to_end,
    end_association,
    withdraw_end_request,
)
from association.services.invariants.checking import find_violations
from association.services.provider_freezes import freeze_for_provider, unfreeze_for_provider
from audit.models import AuditEvent
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
)
from tests.journeys.walk import document

pytestmark = pytest.mark.django_db

# How long the second action waited after it had read its clock.
WAIT = timedelta(milliseconds=40)
FREEZE = {"scope": FreezeScope.ACCOUNT, "reason": "An invoice is open"}


class Customer:
    """A reseller's customer, and what its three sides do."""

    def __init__(self):
        self.association = make_associated()
        partner = self.association.partner
        self.member = PartnerMemberFactory.create(partner=partner, administrator=True).user
        self.owner = self.association.account.owner
        self.admin = UserFactory.create(is_staff=True)

    def budget(self, now, **options):
        values = {"amount": Decimal(10), "period": "monthly", "on_exhaustion": "freeze", **options}
        set_budget(association=self.association, by=self.member, now=now, **values)

    def budget_and_unfreeze(self, now):
        self.budget(now, unfreeze=True)

    def ask_partner(self, now):
        ask_partner(association=self.association, by=self.owner, now=now)

    def freeze(self, now):
        freeze_customer(association=self.association, by=self.member, now=now, **FREEZE)

    def unfreeze(self, now):
        unfreeze_customer(association=self.association, reason="Paid", by=self.member, now=now)

    def provider_freeze(self, now):
        freeze_for_provider(account=self.association.account, by=self.admin, now=now, **FREEZE)

    def provider_unfreeze(self, now):
        account = self.association.account
        unfreeze_for_provider(account=account, reason="Cleared", by=self.admin, now=now)

    def request(self, now):
        request_authorization(association=self.association, by=self.member, now=now)

    def grant(self, now):
        letter = document(DocumentKind.LETTER_OF_AUTHORIZATION).version
        grant_authorization(
            association=self.association,
            shown_request=None,
            shown_letter=letter,
            label="I agree",
            language="en",
            address=None,
            by=self.owner,
            now=now,
        )

    def decline(self, now):
        decline_authorization(authorization=Authorization.objects.get(), **self._answer(now))

    def revoke(self, now):
        revoke_authorization(authorization=Authorization.objects.get(), **self._answer(now))

    def _answer(self, now):
        return {"reason": "", "by": self.owner, "now": now}

    def ask(self, now):
        side = {"side": Side.CUSTOMER, "reason": "Too dear", "by": self.owner}
        ask_to_end(association=self.association, now=now, **side)

    def agree(self, now):
        self._answer_end(now, agree=True)

    def decline_end(self, now):
        self._answer_end(now, agree=False)

    def _answer_end(self, now, *, agree):
        side = {"side": Side.PARTNER, "by": self.member, "reason": ""}
        answer_end_request(end_request=EndRequest.objects.get(), agree=agree, now=now, **side)

    def withdraw(self, now):
        side = {"side": Side.CUSTOMER, "by": self.owner}
        withdraw_end_request(end_request=EndRequest.objects.get(), now=now, **side)

    def end(self, now):
        end_association(association=self.association, reason="By law", by=self.admin, now=now)


def moments():
    """Return every moment of the customer's rows, by column."""
    columns: dict[Any, list[str]] = {
        Association: ["ended_at"],
        Freeze: ["frozen_at", "unfrozen_at"],
        Budget: ["set_at", "replaced_at"],
        BudgetRequest: ["asked_at"],
        Authorization: ["requested_at", "granted_at", "declined_at", "revoked_at"],
        EndRequest: ["asked_at", "answered_at"],
    }
    return {
        (model.__name__, row["pk"], name): row[name]
        for model, names in columns.items()
        for row in model.objects.values("pk", *names)
        for name in names
        if row[name]
    }


PAIRS = [
    *[
        (["ask"], first, last)
        for first in ("budget", "freeze", "request", "grant")
        for last in ("agree", "end")
    ],
    ([], "provider_freeze", "end"),
    ([], "budget", "unfreeze"),
    ([], "budget", "budget"),
    ([], "freeze", "budget_and_unfreeze"),
    ([], "budget", "ask_partner"),
    ([], "ask_partner", "budget"),
    ([], "budget", "provider_freeze"),
    (["budget"], "unfreeze", "freeze"),
    (["budget"], "freeze", "unfreeze"),
    ([], "budget_and_unfreeze", "freeze"),
    ([], "request", "grant"),
    ([], "request", "decline"),
    ([], "grant", "revoke"),
    ([], "freeze", "ask"),
    ([], "ask", "agree"),
    ([], "ask", "decline_end"),
    ([], "ask", "withdraw"),
    ([], "ask", "end"),
    ([], "provider_freeze", "provider_unfreeze"),
    ([], "end", "provider_freeze"),
    (["provider_freeze"], "end", "provider_unfreeze"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("before", "first", "last"), PAIRS)
def test_what_waited_for_the_lock_is_dated_after_what_it_waited_for(before, first, last):
    customer = Customer()
    now = timezone.now() + timedelta(seconds=1)
    for name in before:
        getattr(customer, name)(now - WAIT)
    earlier = moments()
    getattr(customer, first)(now + WAIT)
    written = {key: moment for key, moment in moments().items() if key not in earlier}
    assert set(written.values()) == {now + WAIT}
    events = AuditEvent.objects.latest("pk").pk

    getattr(customer, last)(now)

    later = {moment for key, moment in moments().items() if key not in {**earlier, **written}}
    assert later == {now + WAIT}
    occurred = AuditEvent.objects.filter(pk__gt=events).values_list("occurred_at", flat=True)
    assert set(occurred) == {now + WAIT}
    assert list(find_violations()) == []


def test_action_that_waited_for_nothing_keeps_its_moment():
    customer = Customer()
    now = timezone.now() + timedelta(seconds=1)
    customer.freeze(now)
    customer.end(now + WAIT)
    customer.association.refresh_from_db()
    assert customer.association.ended_at == now + WAIT


def test_provider_freeze_is_dated_after_the_association_whose_partner_it_tells():
    association = make_associated(invitation=InvitationFactory.create(referral=True))
    freeze = freeze_for_provider(
        account=association.account,
        by=UserFactory.create(is_staff=True),
        now=association.associated_at - WAIT,
        **FREEZE,
    )
    assert freeze.frozen_at == association.associated_at


def test_manager_is_assigned_after_the_one_before():
    customer = Customer()
    now = timezone.now() + timedelta(seconds=1)
    managers = PartnerMemberFactory.create_batch(2, partner=customer.association.partner)
    for manager, at in zip(managers, (now + WAIT, now), strict=True):
        assign_manager(
            association=customer.association, manager=manager, by=customer.member, now=at
        )
    events = AuditEvent.objects.filter(action="association.manager_changed").order_by("pk")
    assert [event.occurred_at for event in events] == [now + WAIT] * 2

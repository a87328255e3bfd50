"""My partner: why the account is frozen, asking for a budget, and what the partner has done."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from association.models import BudgetPeriod, BudgetRequest, OnExhaustion
from association.services.authorizations import request_authorization
from association.services.budget_requests import (
    ask_partner,
    may_ask_again_at,
)
from association.services.customers import freeze_customer, set_budget, unfreeze_customer
from association.services.spending import resets_at
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import (
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    UserFactory,
    end_by_provider,
    make_associated,
)
from web.refused import Refused

pytestmark = pytest.mark.django_db

MY_PARTNER, ASK = "/account/partner/", "/account/partner/ask-budget"
MORNING = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def associated(**traits):
    return make_associated(invitation=InvitationFactory.create(**traits))


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def page_of(association):
    response = client_of(association.account.owner).get(MY_PARTNER)
    assert response.status_code == 200
    return response.content.decode()


def budget(association, period=BudgetPeriod.MONTHLY, by=None, now=None):
    return set_budget(
        association=association,
        amount=Decimal(500),
        period=period,
        on_exhaustion=OnExhaustion.FREEZE,
        by=by,
        now=now or timezone.now(),
    )


def ask(association, now=None):
    owner = association.account.owner
    return ask_partner(association=association, by=owner, now=now or timezone.now())


def asks_for_budget(association):
    return f'action="{ASK}"' in page_of(association)


def mailed():
    kind = "association.budget_requested"
    return sorted(OutboxMessage.objects.filter(kind=kind).values_list("recipient", flat=True))


def test_request_is_stored_audited_and_e_mailed_once_a_day():
    with time_machine.travel(MORNING - timedelta(hours=1)):
        association = associated()
    administrator = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    PartnerMemberFactory.create(partner=association.partner)
    first = ask(association, MORNING)
    assert ask(association, MORNING.replace(hour=23, minute=59)) == first
    assert (first.asked_at, first.asked_on) == (MORNING, MORNING.date())
    event = AuditEvent.objects.get(object_label="association.budgetrequest")
    assert (event.action, event.actor) == ("budget_request.made", association.account.owner)
    assert event.after["association"] == association.pk
    assert mailed() == [administrator.user.email]
    assert may_ask_again_at(first.asked_at) == datetime(2026, 3, 5, tzinfo=UTC)
    assert ask(association, may_ask_again_at(first.asked_at)) != first
    assert BudgetRequest.objects.count() == 2


def test_asking_belongs_to_the_frozen_reseller_customer():
    referral, free, ended, other = (
        associated(referral=True),
        associated(),
        associated(),
        associated(),
    )
    budget(free)
    unfreeze_customer(association=free, reason="", by=None, now=timezone.now())
    end_by_provider(ended)
    for association, code in (
        (referral, "not_reseller"),
        (free, "not_frozen"),
        (ended, "ended"),
    ):
        with pytest.raises(Refused, match=f"^{code}$"):
            ask(association)
    with pytest.raises(Refused, match=r"^not_owner$"):
        ask_partner(association=other, by=UserFactory.create(), now=timezone.now())
    assert BudgetRequest.objects.count() == 0


def test_tasks_are_listed_until_all_are_done():
    referral, association = associated(referral=True), associated()
    assert 'class="tasks"' not in page_of(referral)
    budget(association)
    assert 'class="tasks"' in page_of(association)
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    assert 'class="tasks"' not in page_of(association)
    FreezeFactory.create(account=association.account, cause=FreezeCause.BUDGET_EXHAUSTED)
    assert 'class="tasks"' not in page_of(association)
    request_authorization(
        association=association, by=PartnerMemberFactory.create().user, now=timezone.now()
    )
    assert 'class="tasks"' in page_of(association)


def test_page_asks_once_and_says_when_again():
    with time_machine.travel(MORNING, tick=False):
        association = associated()
        client = client_of(association.account.owner)
        assert asks_for_budget(association)
        for _ in range(2):
            response = client.post(ASK)
            assert (response.status_code, response["Location"]) == (303, MY_PARTNER)
        page = page_of(association)
        assert BudgetRequest.objects.count() == 1
        assert f'action="{ASK}"' not in page
        assert "2026-03-05T00:00:00+00:00" in page
    with time_machine.travel(MORNING + timedelta(days=1), tick=False):
        assert asks_for_budget(association)


def test_only_the_owner_asks():
    association = associated()
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True)
    for user in (CustomerAccountFactory.create().owner, member.user):
        assert client_of(user).post(ASK).status_code == 404
    assert Client().post(ASK).status_code == 302
    page = client_of(association.account.owner).get(ASK)
    assert (page.status_code, page["Location"]) == (303, "/account/partner/")
    assert BudgetRequest.objects.count() == 0


def test_page_says_why_it_is_frozen_and_what_the_partner_has_done():
    association = associated(partner__name="Nimbus")
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True).user
    start = timezone.now()
    steps = [start + timedelta(seconds=number) for number in range(1, 6)]
    budget(association, by=member, now=steps[0])
    unfreeze_customer(association=association, reason="Welcome", by=member, now=steps[1])
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT_AND_RESOURCES,
        reason="<b>Late</b>",
        by=member,
        now=steps[2],
    )
    request_authorization(association=association, by=member, now=steps[3])
    page = page_of(association)
    assert "Frozen by Nimbus on " in page
    assert page.count("&lt;b&gt;Late&lt;/b&gt;") == 3
    assert "<b>Late" not in page
    actions = page[page.index("What <bdi>Nimbus</bdi> has done") :]
    expected = [
        "Asked for your authorization",
        "Froze: account and resources",
        "Unfroze your account",
        "Welcome",
        "Set a budget of 500.00\N{NO-BREAK SPACE}USD (monthly)",
    ]
    places = [actions.index(words) for words in expected]
    assert places == sorted(places)
    assert member.email not in page
    assert member.account_name not in page


def test_actions_of_an_earlier_partner_are_not_this_ones():
    association = associated()
    association.account.freezes.create(
        cause=FreezeCause.PARTNER,
        scope=FreezeScope.ACCOUNT,
        reason="Earlier",
        frozen_at=association.associated_at - timedelta(days=9),
        unfrozen_at=association.associated_at - timedelta(days=8),
    )
    page = page_of(association)
    actions = page[page.index("has done") : page.index("<h2>Freezes</h2>")]
    assert "Nothing yet." in actions


@pytest.mark.parametrize(
    ("zone", "now", "restored"),
    [
        ("UTC", "2026-12-31T23:59:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("Europe/Dublin", "2026-03-15T12:00:00+00:00", "2026-04-01T00:00:00+01:00"),
        ("Pacific/Auckland", "2026-01-31T12:00:00+00:00", "2026-03-01T00:00:00+13:00"),
    ],
)
def test_monthly_budget_is_restored_on_the_next_first_where_the_partner_is(zone, now, restored):
    monthly = budget(associated(partner__time_zone=zone))
    moment = resets_at(monthly, datetime.fromisoformat(now))
    assert moment == datetime.fromisoformat(restored)
    monthly.period = BudgetPeriod.ONE_TIME
    assert resets_at(monthly, datetime.fromisoformat(now)) is None


@pytest.mark.parametrize("rows", [1, 3])
def test_my_partner_costs_the_same_for_more_rows(django_assert_num_queries, rows):
    association = associated()
    for number in range(rows):
        now = timezone.now() + timedelta(seconds=number)
        budget(association, now=now)
        association.budget_requests.create(
            asked_at=now - timedelta(days=number), asked_on=now - timedelta(days=number)
        )
        association.authorizations.create(requested_at=now, declined_at=now)
        association.account.freezes.create(
            cause=FreezeCause.PARTNER, scope="account", frozen_at=now, unfrozen_at=now
        )
    client = client_of(association.account.owner)
    with django_assert_num_queries(16):
        assert client.get(MY_PARTNER).status_code == 200


@pytest.mark.parametrize("by_provider", [False, True])
def test_freezes_say_when_the_provider_decided_for_the_partner(by_provider):
    association = associated()
    member = PartnerMemberFactory.create(partner=association.partner, administrator=True).user
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT,
        reason="An invoice is open",
        by=UserFactory.create(is_staff=True) if by_provider else member,
        now=timezone.now(),
    )
    assert page_of(association).count("Example Cloud decided for the partner.") == by_provider

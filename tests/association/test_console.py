"""The console's first page: what waits for the member, and the funnel; nothing of others."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeCause
from association.enums import Side
from association.models import BudgetRequest
from association.services.customer_lists import WAITS_FOR_PARTNER, find_customers
from association.services.customer_status import refresh_status
from association.services.customers import set_budget
from association.services.overview import (
    Funnel,
    customers_frozen_by_joining,
    customers_out_of_budget,
    end_requests_open,
    funnel_of,
    invitations_expiring,
    refused_by_cause,
    waiting_counts,
)
from partners.enums import BudgetPeriod, OnExhaustion
from partners.services.pages import Count
from tests.factories import (
    AttemptFactory,
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    InvitationRequestFactory,
    PartnerMemberFactory,
    UserFactory,
    make_associated,
    make_attempt,
)
from tests.shown_texts import unbroken

pytestmark = pytest.mark.django_db

# session, user, member; funnel; frozen by joining, out of budget; their freezes and budgets; end
# requests; requests; refused, put off; undelivered, causes, expiring; what waits, for the
# navigation
STATEMENTS = 16
# Of the budgets that are shown.
WHAT_IS_USED = 1
# About people who are shown: they, who has joined, messages to them, who does not want e-mail.
ABOUT_PEOPLE = 4


def open_overview(user):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client.get("/partner/")


def ask_to_end(association, *, asked_at, asking_side=Side.CUSTOMER):
    association.end_requests.create(asking_side=asking_side, reason="Moved", asked_at=asked_at)


def give_budget(customer, amount, by):
    set_budget(
        association=customer,
        amount=Decimal(amount),
        period=BudgetPeriod.ONE_TIME,
        on_exhaustion=OnExhaustion.FREEZE,
        by=by,
        now=timezone.now(),
    )


def shown_to(member):
    return unbroken(open_overview(member.user))


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.mark.parametrize("rows", [1, 3])
def test_overview_shows_what_waits_with_constant_queries(boss, rows, django_assert_num_queries):
    invitation = InvitationFactory.create(
        partner=boss.partner, expires_at=timezone.now() + timedelta(days=2)
    )
    for _ in range(rows):
        associated = make_associated(invitation=invitation)
        spent = make_associated(invitation=invitation)
        spent.account.freezes.update(unfrozen_at=timezone.now())
        FreezeFactory.create(account=spent.account, cause=FreezeCause.BUDGET_EXHAUSTED)
        now = timezone.now()
        give_budget(spent, 0, boss.user)
        BudgetRequest.objects.create(association=associated, asked_at=now, asked_on=now.date())
    InvitationRequestFactory.create_batch(rows, invitation=invitation)
    InvitationFactory.create_batch(rows - 1, partner=boss.partner, expires_at=invitation.expires_at)
    AttemptFactory.create_batch(rows, invitation=invitation, entered=True, refused=True)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)

    with django_assert_num_queries(STATEMENTS + WHAT_IS_USED + ABOUT_PEOPLE):
        page = client.get("/partner/")

    assert page.status_code == 200
    shown = page.content.decode()
    parts = {
        "Joined and frozen": rows,
        "Frozen since the budget was used up": rows,
        "Raise the budget": rows,
        '<summary id="causes">Refused, by cause</summary>': 1,
        "The customer asked you on": rows,
        "Followed “": rows,
        "until <time": rows,
        "?refusal=unpaid_bills": 1,
    }
    assert {part: shown.count(part) for part in parts} == parts


def test_navigation_counts_each_customer_who_waits_once(boss):
    invitation, now = InvitationFactory.create(partner=boss.partner), timezone.now()
    for waits in (True, True, False, False):
        association = make_associated(invitation=invitation)
        if waits:
            FreezeFactory.create(account=association.account, cause=FreezeCause.BUDGET_EXHAUSTED)
        else:
            association.account.freezes.update(unfrozen_at=timezone.now())
            refresh_status([association.account_id])
        ask_to_end(association, asked_at=now)
    association.end_requests.update(asking_side=Side.PARTNER)
    [waiting, requesting] = waiting_counts(boss)
    assert (waiting, requesting) == (Count(3, is_more=False), Count(0, is_more=False))
    make_associated(invitation=invitation)
    assert waiting_counts(boss)[0].number == 4


def test_overview_lists_customers_oldest_first(boss):
    invitation, now = InvitationFactory.create(partner=boss.partner), timezone.now()
    made = [
        make_associated(invitation=invitation, now=now - timedelta(hours=hours))
        for hours in (1, 3, 2)
    ]

    assert [row.pk for row in customers_frozen_by_joining(boss)] == [
        made[1].pk,
        made[2].pk,
        made[0].pk,
    ]
    assert list(customers_out_of_budget(boss)) == []


def test_with_a_budget_a_frozen_customer_waits_to_be_unfrozen_and_for_no_budget(boss):
    customer = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    assert "Joined and frozen" in shown_to(boss)
    set_budget(
        association=customer,
        amount=Decimal("10.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=boss.user,
        now=timezone.now(),
    )
    customer.refresh_from_db()

    listed: Any = customers_frozen_by_joining(boss)
    found = list(listed.values_list("pk", "has_budget"))
    assert (found, customer.status) == ([(customer.pk, True)], "frozen")
    assert "Has a budget, still frozen." in shown_to(boss)
    assert waiting_counts(boss)[0].number == 1
    assert list(find_customers(boss, {"status": "waiting"})) == []


def test_new_budget_moves_a_customer_from_used_up_to_still_frozen(boss):
    customer = make_associated(invitation=InvitationFactory.create(partner=boss.partner))
    customer.account.freezes.update(unfrozen_at=timezone.now())
    FreezeFactory.create(account=customer.account, cause=FreezeCause.BUDGET_EXHAUSTED)
    give_budget(customer, 0, boss.user)
    context = open_overview(boss.user).context
    assert (context["frozen"], context["used_up"]) == ([], [customer])

    give_budget(customer, 100, boss.user)

    page = open_overview(boss.user)
    assert (page.context["frozen"], page.context["used_up"]) == ([customer], [])
    shown = page.content.decode()
    assert "Now some of it is left, still frozen." in shown
    assert f'href="/partner/customers/{customer.pk}/unfreeze' in shown
    assert "Raise the budget" not in shown


def test_customer_whom_the_partner_froze_itself_does_not_wait_to_be_unfrozen(boss):
    invitation = InvitationFactory.create(partner=boss.partner)
    joined, exhausted, without_budget = (make_associated(invitation=invitation) for _ in range(3))
    exhausted.account.freezes.update(unfrozen_at=timezone.now())
    FreezeFactory.create(account=exhausted.account, cause=FreezeCause.BUDGET_EXHAUSTED)
    for customer in (joined, exhausted):
        give_budget(customer, 10, boss.user)
    assert waiting_counts(boss)[0].number == 3

    for customer in (joined, exhausted, without_budget):
        FreezeFactory.create(account=customer.account, cause=FreezeCause.PARTNER)

    assert waiting_counts(boss)[0].number == 1
    assert open_overview(boss.user).context["frozen"] == [without_budget]
    ask_to_end(exhausted, asked_at=timezone.now())
    assert waiting_counts(boss)[0].number == 2


def test_count_in_the_navigation_leads_to_exactly_those_customers(boss):
    invitation = InvitationFactory.create(partner=boss.partner)
    by_joining, out_of_budget, asking, both, free = (
        make_associated(invitation=invitation) for _ in range(5)
    )
    for customer in (out_of_budget, asking, free):
        customer.account.freezes.update(unfrozen_at=timezone.now())
        give_budget(customer, 10, boss.user)
    FreezeFactory.create(account=out_of_budget.account, cause=FreezeCause.BUDGET_EXHAUSTED)
    for customer in (asking, both):
        ask_to_end(customer, asked_at=timezone.now())

    [link] = re.findall(r'<a class="count"\s+href="([^"]+)">4<', shown_to(boss))

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    page = client.get(link).context
    newest = [line["association"] for line in page["lines"]]
    assert newest == [both, asking, out_of_budget, by_joining]
    assert waiting_counts(boss)[0].number == page["listing"].count.number == len(newest)
    by_name = [line["association"] for line in client.get(f"{link}&order=name").context["lines"]]
    assert by_name == sorted(newest, key=lambda customer: (customer.sort_name, customer.pk))
    path, _mark, query = link.rpartition("/?")
    csv = b"".join(client.get(f"{path}.csv?{query}")).decode()
    assert [line.split(",")[0].strip('"') for line in csv.splitlines()[1:]] == [
        customer.shown_name for customer in newest
    ]
    filters = {"status": WAITS_FOR_PARTNER}
    assert set(find_customers(boss, filters)) == set(newest)


@pytest.mark.parametrize("rows", [1, 3])
def test_customers_who_wait_take_the_same_statements(boss, rows, django_assert_num_queries):
    invitation = InvitationFactory.create(partner=boss.partner)
    for _ in range(rows):
        give_budget(make_associated(invitation=invitation), 10, boss.user)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)

    # session, user, member; managers; the keys, the customers, three counts; freezes, budgets,
    # what is used of them; actions on many; what waits
    with django_assert_num_queries(14):
        client.get("/partner/customers/?status=waits_for_partner")


@pytest.mark.parametrize("rows", [1, 3])
def test_overview_shows_the_customers_who_ask_to_end(boss, rows, django_assert_num_queries):
    invitation, now = InvitationFactory.create(partner=boss.partner), timezone.now()
    made = [make_associated(invitation=invitation) for _ in range(rows)]
    for number, association in enumerate(made):
        ask_to_end(association, asked_at=now - timedelta(hours=number))
    by_partner = make_associated(invitation=invitation)
    ask_to_end(by_partner, asked_at=now, asking_side=Side.PARTNER)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)

    with django_assert_num_queries(STATEMENTS):
        page = client.get("/partner/")

    shown = [row.association for row in page.context["end_requests"]]
    assert shown == list(reversed(made))
    assert by_partner not in shown
    content = page.content.decode()
    for association in made:
        assert f'href="/partner/customers/{association.pk}/end"' in content
    assert list(end_requests_open(PartnerMemberFactory.create(administrator=True))) == []


def test_overview_shows_a_manager_their_own_only(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    other = InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    mine, theirs = make_associated(invitation=own), make_associated(invitation=other)
    asked = InvitationRequestFactory.create(invitation=other)
    AttemptFactory.create(invitation=other, entered=True, refused=True)

    page = shown_to(manager)

    assert mine.account.owner.account_name in page
    assert theirs.account.owner.account_name not in page
    assert asked.masked_address not in page
    assert refused_by_cause(member=manager, now=timezone.now()) == []
    assert funnel_of(member=manager, now=timezone.now()) == Funnel(
        started=Count(1, is_more=False),
        registered=Count(1, is_more=False),
        associated=Count(1, is_more=False),
        refused=Count(0, is_more=False),
        has_invitations=True,
    )


def test_funnel_counts_each_by_its_own_moment_within_thirty_days(boss):
    invitation, now = InvitationFactory.create(partner=boss.partner), timezone.now()
    make_associated(invitation=invitation)
    AttemptFactory.create(invitation=invitation, entered=True, refused=True)
    AttemptFactory.create(
        invitation=invitation, started_at=now - timedelta(days=31), registered_at=now, entered=True
    )
    make_associated()

    assert funnel_of(member=boss, now=now) == Funnel(
        started=Count(2, is_more=False),
        registered=Count(2, is_more=False),
        associated=Count(1, is_more=False),
        refused=Count(1, is_more=False),
        has_invitations=True,
    )


def test_funnel_counts_no_further_than_its_limit(boss, monkeypatch):
    monkeypatch.setattr("association.services.overview.MOST_COUNTED", 2)
    invitation = InvitationFactory.create(partner=boss.partner)
    AttemptFactory.create_batch(3, invitation=invitation)

    assert funnel_of(member=boss, now=timezone.now()).started == Count(2, is_more=True)
    assert "more than" in shown_to(boss)


def test_causes_are_counted_most_first(boss):
    invitation = InvitationFactory.create(partner=boss.partner)
    both = ["cash_expenditure", "unpaid_bills"]
    AttemptFactory.create(invitation=invitation, entered=True, refused=True)
    AttemptFactory.create(invitation=invitation, entered=True, refused=True, refusal_codes=both)
    AttemptFactory.create(entered=True, refused=True)

    found = refused_by_cause(member=boss, now=timezone.now())

    assert found == [("unpaid_bills", 2), ("cash_expenditure", 1)]


def test_a_new_partner_is_shown_its_first_steps(boss):
    page = shown_to(boss)

    assert "Your first customer is three steps away" in page
    assert "No customer waits for a budget or to be unfrozen." not in page


def test_overview_masks_addresses_for_members_who_may_not_read_them(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    own = InvitationFactory.create(partner=boss.partner, created_by=manager.user)
    asked = InvitationRequestFactory.create(invitation=own)
    owner = make_associated(invitation=own).account.owner
    ending = make_associated(invitation=own)
    ask_to_end(ending, asked_at=timezone.now())

    whole = [asked.address, owner.email, ending.account.owner.email]
    masked = [asked.masked_address, owner.masked_email, ending.account.owner.masked_email]
    assert [text in shown_to(manager) for text in whole + masked] == [False] * 3 + [True] * 3
    assert [text in shown_to(boss) for text in whole + masked] == [True] * 3 + [False] * 3


def test_overview_shows_nothing_of_another_partner(boss):
    InvitationFactory.create(partner=boss.partner)
    associated = make_associated()
    asked = InvitationRequestFactory.create(invitation=associated.invitation)

    page = shown_to(boss)

    assert associated.account.owner.account_name not in page
    assert asked.address not in page
    assert "No customer waits for a budget or to be unfrozen." in page


def test_overview_does_not_exist_without_a_membership():
    assert open_overview(UserFactory.create()).status_code == 404


def test_overview_asks_an_anonymous_visitor_to_log_in():
    assert Client(SERVER_NAME="127.0.0.1").get("/partner/").status_code == 302


def test_overview_forgets_who_is_unfrozen_or_answered(boss):
    invitation = InvitationFactory.create(partner=boss.partner)
    associated = make_associated(invitation=invitation)
    associated.account.freezes.update(unfrozen_at=timezone.now())
    refresh_status([associated.account_id])
    asked = InvitationRequestFactory.create(invitation=invitation, closed_at=timezone.now())

    page = shown_to(boss)

    assert "No customer waits for a budget or to be unfrozen." in page
    assert asked.address not in page


def test_home_leads_a_member_to_the_console():
    member = PartnerMemberFactory.create()
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    answer = client.get("/account/")
    assert (answer.status_code, answer["Location"]) == (302, "/partner/")


def test_home_leads_back_to_an_open_attempt():
    attempt = make_attempt(account=CustomerAccountFactory.create(enabled=True))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(attempt.account.owner)
    answer = client.get("/account/")
    assert (answer.status_code, answer["Location"]) == (302, f"/join/{attempt.pk}/")


def test_links_expire_soon_for_a_week_and_e_mails_for_two_days():
    boss = PartnerMemberFactory.create(administrator=True)
    now = timezone.now()
    for days in (1, 6, 8):
        for channel in ({}, {"email": True}):
            InvitationFactory.create(
                partner=boss.partner,
                label=f"{'mail' if channel else 'link'} {days}",
                **{**channel, "expires_at": now + timedelta(days=days)},
            )

    found = invitations_expiring(member=boss, now=now)

    assert {invitation.label for invitation in found} == {"link 1", "mail 1", "link 6"}


def test_first_steps_hide_no_customer_who_asks(boss):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    made = make_associated(
        invitation=InvitationFactory.create(partner=boss.partner, created_by=boss.user)
    )
    made.manager = manager
    made.save()
    made.account.freezes.update(unfrozen_at=timezone.now())
    ask_to_end(made, asked_at=timezone.now())

    page = open_overview(manager.user)

    assert page.context["is_new"] is True
    assert "Your first customer is three steps away" not in page.content.decode()
    assert [row.association for row in page.context["end_requests"]] == [made]

"""Actions on many customers: each row as its single action, with an outcome of its own."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from accounts.enums import FreezeCause
from association.enums import AssociationRefusal
from association.refusals import SENTENCES
from association.services.bulk_customers import PERFORMERS, act_on_customers
from association.services.customers import set_budget, unfreeze_customer
from association.services.invariants.checking import find_violations
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from partners.enums import BudgetPeriod, BulkKind, BulkRefusal, OnExhaustion
from partners.models import BulkAction
from partners.services.bulk_actions import choose_rows, do_few, start_bulk_action
from partners.services.members import remove_member
from tests.csv_files import lines_of
from tests.factories import (
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    SpendingFactory,
    end_by_provider,
    make_associated,
)
from web.moments import moment_text
from web.refused import Refused

pytestmark = pytest.mark.django_db

LIST = "/partner/customers/"
CHOOSE = f"{LIST}bulk/"
BUDGET = {"amount": "100.00", "period": "monthly", "on_exhaustion": "freeze", "unfreeze": True}


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def client(boss):
    return client_of(boss)


def client_of(member):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(member.user)
    return client


def joined(member, **invitation):
    invitation = InvitationFactory.create(
        partner=member.partner, created_by=member.user, **invitation
    )
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


def with_budget(association):
    set_budget(
        association=association,
        amount=Decimal("50.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        by=None,
        now=timezone.now(),
    )
    return association


def free(association):
    with_budget(association)
    unfreeze_customer(association=association, reason="", by=None, now=timezone.now())
    return association


def run(member, kind, rows, reason="", **terms):
    """Start the action as a member, and do all of it; return the outcomes."""
    now = timezone.now()
    action = choose_rows(member=member, kind=kind, keys=[row.pk for row in rows], now=now)
    start_bulk_action(action=action, terms=terms, reason=reason, by=member.user, now=now)
    do_few(action=action, performers=PERFORMERS)
    return list(action.rows.order_by("number").values_list("outcome", flat=True))


def causes(association):
    return set(association.account.freezes.open().values_list("cause", flat=True))


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def test_budgets_are_set_and_customers_unfrozen(boss):
    waiting, spent, referral, ended, theirs = (
        joined(boss),
        joined(boss),
        joined(boss, referral=True),
        joined(boss),
        make_associated(),
    )
    SpendingFactory.create(account=spent.account, amount=Decimal("100.00"))
    end_by_provider(ended)
    outcomes = run(
        boss, BulkKind.SET_BUDGET, [waiting, spent, referral, ended, theirs], "Welcome", **BUDGET
    )
    assert outcomes == [
        *("done", "used_up_at_once", "not_reseller", "ended", "bulk_not_visible"),
    ]
    budget = waiting.budgets.get()
    assert (budget.amount, budget.period, budget.set_by) == (100, "monthly", boss.user)
    assert causes(waiting) == set()
    assert waiting.account.freezes.get().unfreeze_reason == "Welcome"
    assert causes(spent) == {FreezeCause.ASSOCIATION}
    assert OutboxMessage.objects.filter(kind="association.unfrozen").count() == 1
    assert list(find_violations()) == []


def test_customers_are_frozen_with_the_reason(boss):
    rows = [free(joined(boss)), joined(boss, referral=True)]
    outcomes = run(boss, BulkKind.FREEZE, rows, "Not paid", scope="account")
    assert outcomes == ["done", "not_reseller"]
    freeze = rows[0].account.freezes.open().get()
    assert (freeze.cause, freeze.reason, freeze.frozen_by) == ("partner", "Not paid", boss.user)
    assert run(boss, BulkKind.FREEZE, rows[:1], "Late", scope="account") == ["frozen_already"]
    assert list(find_violations()) == []


def test_reason_is_kept_by_the_freezes_alone(boss):
    run(boss, BulkKind.FREEZE, [free(joined(boss))], "Ada has not paid", scope="account")
    assert BulkAction.objects.get().reason == ""


def test_customers_are_unfrozen_but_not_without_a_budget(boss):
    rows = [with_budget(joined(boss)), joined(boss), free(joined(boss))]
    outcomes = run(boss, BulkKind.UNFREEZE, rows, "Paid")
    assert outcomes == ["done", "no_budget", "nothing_to_lift"]
    assert causes(rows[0]) == set()


def test_manager_is_assigned_and_taken_away(boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    stranger = PartnerMemberFactory.create()
    rows = [joined(boss), joined(boss, referral=True)]
    assert run(boss, BulkKind.ASSIGN_MANAGER, rows, manager=colleague.pk) == ["done", "done"]
    assert [type(row).objects.get(pk=row.pk).manager for row in rows] == [colleague] * 2
    assert run(boss, BulkKind.ASSIGN_MANAGER, rows, manager=stranger.pk) == ["not_a_member"] * 2
    assert run(boss, BulkKind.ASSIGN_MANAGER, rows, manager=None) == ["done", "done"]
    assert [type(row).objects.get(pk=row.pk).manager for row in rows] == [None] * 2


def test_manager_acts_on_own_customers_and_assigns_none(boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    mine, theirs = with_budget(joined(boss)), with_budget(joined(boss))
    type(mine).objects.filter(pk=mine.pk).update(manager=colleague)
    assert run(colleague, BulkKind.UNFREEZE, [mine, theirs], "Paid") == ["done", "bulk_not_visible"]
    assert run(colleague, BulkKind.ASSIGN_MANAGER, [mine], manager=None) == ["not_an_administrator"]


def test_each_customer_has_the_events_of_its_single_action(boss):
    run(boss, BulkKind.SET_BUDGET, [joined(boss), joined(boss)], **BUDGET)
    events = AuditEvent.objects.filter(acted_for=boss.partner_id, actor=boss.user)
    actions = list(events.order_by("pk").values_list("action", flat=True))
    assert actions == [*(["budget.set", "freeze.closed"] * 2)]


# --- the pages


def choose(client, action, rows=(), query="", **more):
    sent = {"action": action, "row": [row.pk for row in rows], **more}
    answer = client.post(f"{CHOOSE}?{query}", sent)
    assert answer.status_code == 303
    return answer["Location"]


def test_ticked_customers_are_frozen(client, boss):
    customer = free(joined(boss))
    page = choose(client, "freeze", [customer])
    assert "Freeze 1 customer?" in text_of(client.get(page))
    assert client.post(page, {"scope": "account"}).status_code == 400
    assert client.post(page, {"scope": "account", "reason": "Late"})["Location"] == page
    assert causes(customer) == {FreezeCause.PARTNER}
    assert "1 of 1 done" in text_of(client.get(page))


def test_page_shows_what_each_customer_has_and_has_spent(client, boss):
    waiting, second, referral = joined(boss), free(joined(boss)), joined(boss, referral=True)
    SpendingFactory.create(account=second.account, amount=Decimal("12.50"))
    shown = client.get(choose(client, "set_budget", [waiting, second, referral]))
    assert [text.replace("\xa0", " ") for _name, _row, text in shown.context["rows"]] == [
        "Waiting for a budget. Spent this month: 0.00 USD.",
        "Not frozen. Present budget: 50.00 USD, monthly. Spent this month: 12.50 USD.",
    ]
    assert shown.context["left_out"] == 0
    assert "<details open>" in shown.content.decode()
    assert "As it is now, at least 1 of 3 chosen will be left alone" in text_of(shown)


def test_unfreezing_is_ticked_where_joining_has_frozen_one(client, boss):
    second = free(joined(boss))
    for rows, is_ticked in ([[second], False], [[second, joined(boss)], True]):
        form = client.get(choose(client, "set_budget", rows)).context["form"]
        assert form["unfreeze"].value() is is_ticked


@pytest.mark.parametrize("has_budget", [True, False])
def test_unfreezing_is_not_ticked_where_the_partner_froze_one_on_purpose(client, boss, has_budget):
    waiting, chosen = joined(boss), free(joined(boss)) if has_budget else joined(boss)
    at = timezone.now()
    FreezeFactory.create(account=chosen.account, cause=FreezeCause.PARTNER, frozen_at=at)
    page = client.get(choose(client, "set_budget", [waiting, chosen]))
    assert page.context["form"]["unfreeze"].value() is False
    words = [text for _name, _row, text in page.context["rows"]]
    by_you = f"Frozen by you on {moment_text(at)}."
    assert [by_you in text for text in words] == [False, True]
    assert words[1].startswith(by_you if has_budget else f"Waiting for a budget. {by_you}")
    alone = client.get(f"{LIST}{chosen.pk}/budget").context["form"]
    assert not alone["unfreeze"].value()


def test_page_names_who_will_be_left_alone_and_why(client, boss):
    waiting, frozen, second = joined(boss), with_budget(joined(boss)), free(joined(boss))
    referral = joined(boss, referral=True)
    FreezeFactory.create(account=second.account, cause=FreezeCause.PARTNER)
    rows = [waiting, frozen, second, referral]
    only_resellers = SENTENCES[AssociationRefusal.NOT_RESELLER]
    no_budget = "A budget has to be set first: without one the account stays frozen."
    expected = {
        "freeze": [(second, "You have frozen it already."), (referral, only_resellers)],
        "unfreeze": [(waiting, no_budget), (referral, only_resellers)],
        "set_budget": [(referral, only_resellers)],
        "assign_manager": [],
    }
    for kind, left_alone in expected.items():
        page = choose(client, kind, rows)
        context = client.get(page).context
        shown = [(name.text, why) for name, _row, why in context.get("impossible", ())]
        assert shown == [(row.shown_name, why) for row, why in left_alone]
        assert context.get("impossible_count", 0) == len(left_alone)
        if kind == "freeze":
            client.post(page, {"scope": "account", "reason": "Late"})
            done = [(name.text, why) for name, _row, why in client.get(page).context["rows"]]
            assert done == shown
            assert "Frozen: account." in text_of(client.get(page))


@pytest.mark.parametrize(
    ("typed", "doubts"),
    [
        ({"amount": "60"}, "2 stay frozen."),
        ({"amount": "40", "unfreeze": "on"}, "2 get less than now."),
        ({"amount": "40"}, "2 stay frozen. 2 get less than now."),
        ({"amount": "10000000", "unfreeze": "on"}, "That is 10,000,000.00 USD."),
    ],
)
def test_what_may_be_a_mistake_is_confirmed(client, boss, typed, doubts):
    rows = [joined(boss), with_budget(joined(boss)), free(joined(boss))]
    page = choose(client, "set_budget", rows)
    typed = {"period": "monthly", "on_exhaustion": "freeze", **typed}
    answer = client.post(page, typed)
    assert answer.status_code == 400
    [error] = answer.context["form"].errors["confirmed"]
    assert error.replace("\xa0", " ") == f"{doubts} Tick the box to confirm."
    assert "confirmed" not in client.get(page).context["form"].fields
    assert client.post(page, {**typed, "confirmed": "on"})["Location"] == page


@pytest.mark.parametrize(
    ("unfreeze", "doubts"), [({}, "3 stay frozen."), ({"unfreeze": "on"}, "1 stays frozen.")]
)
def test_freezes_of_every_cause_are_counted_and_the_providers_stay(client, boss, unfreeze, doubts):
    waiting, by_partner, by_provider = joined(boss), free(joined(boss)), free(joined(boss))
    FreezeFactory.create(account=by_partner.account, cause=FreezeCause.PARTNER)
    FreezeFactory.create(account=by_provider.account, cause=FreezeCause.ADMINISTRATOR)
    page = choose(client, "set_budget", [waiting, by_partner, by_provider, free(joined(boss))])
    typed = {"amount": "60", "period": "monthly", "on_exhaustion": "freeze", **unfreeze}
    answer = client.post(page, typed)
    [error] = answer.context["form"].errors["confirmed"]
    assert error == f"{doubts} Tick the box to confirm."


def test_budget_that_was_set_after_the_choice_stays(client, boss):
    other, customer = joined(boss), joined(boss)
    page = choose(client, "set_budget", [customer, other])
    with_budget(customer)
    typed = {"amount": "100", "period": "monthly", "on_exhaustion": "freeze", "unfreeze": "on"}
    client.post(page, typed)
    outcomes = BulkAction.objects.get().rows.order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["budget_set_meanwhile", "done"]
    assert [row.budgets.get().amount for row in (customer, other)] == [50, 100]


def test_all_that_match_get_a_budget(client, boss):
    rows = [joined(boss) for _ in range(3)]
    free(joined(boss))
    page = choose(client, "set_budget", query="status=waiting", all="1")
    assert "Set a budget for 3 customers?" in text_of(client.get(page))
    typed = {"amount": "100", "period": "monthly", "on_exhaustion": "freeze", "unfreeze": "on"}
    assert client.post(page, {**typed, "amount": "0"}).status_code == 400
    assert client.post(page, typed)["Location"] == page
    assert [causes(row) for row in rows] == [set()] * 3


def test_page_of_unfreezing_says_who_will_be_left_alone(client, boss):
    waiting, frozen = joined(boss), with_budget(joined(boss))
    page = choose(client, "unfreeze", [waiting, frozen])
    assert "As it is now, at least 1 of 2 chosen will be left alone" in text_of(client.get(page))


def test_what_was_left_alone_is_said_of_each(client, boss):
    rows = [with_budget(joined(boss)), joined(boss)]
    page = choose(client, "unfreeze", rows)
    client.post(page, {"reason": "Paid"})
    shown = client.get(page)
    [(name, _row, word)] = shown.context["rows"]
    assert name.text == rows[1].shown_name
    assert word == "A budget has to be set first: without one the account stays frozen."
    lines = lines_of(client.get(page.rstrip("/") + ".csv"))
    assert lines[1] == f"1,{rows[0].shown_name},Done"


def test_manager_is_chosen_among_the_members(client, boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    customer = joined(boss)
    page = choose(client, "assign_manager", [customer])
    assert client.post(page, {"manager": "1"}).status_code == 400
    client.post(page, {"manager": str(colleague.pk)})
    customer.refresh_from_db()
    assert customer.manager == colleague
    remove_member(member=colleague, by=boss.user, now=timezone.now())
    assert "Manager: a former member." in text_of(client.get(page))


def test_managers_assign_nobody(boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    answer = client_of(colleague).post(CHOOSE, {"action": "assign_manager", "all": "1"})
    assert answer.status_code == 404
    assert "Manager</button>" not in client_of(colleague).get(LIST).content.decode()


def test_actions_on_invitations_are_no_actions_on_customers(client, boss):
    customer = joined(boss)
    assert client.post(CHOOSE, {"action": "revoke", "row": [customer.pk]}).status_code == 404


def test_worker_does_customers_and_not_invitations(client, boss, monkeypatch):
    monkeypatch.setattr("partners.services.bulk_actions.FEW_ROWS", 0)
    page = choose(client, "unfreeze", [with_budget(joined(boss))])
    client.post(page, {"reason": "Paid"})
    assert "0 of 1 done" in text_of(client.get(page))
    assert act_on_customers(now=timezone.now()) == 1
    assert "1 of 1 done" in text_of(client.get(page))


@pytest.mark.parametrize(("kind", "statements"), [("freeze", 8), ("set_budget", 14)])
@pytest.mark.parametrize("rows", [1, 3])
def test_page_has_a_constant_query_count(
    client, boss, kind, statements, rows, django_assert_num_queries
):
    page = choose(client, kind, [with_budget(joined(boss)) for _ in range(rows)])
    with django_assert_num_queries(statements):
        client.get(page)


def test_all_customers_of_a_removed_manager_are_nobody(boss, client):
    manager = PartnerMemberFactory.create(partner=boss.partner)
    joined(boss)
    gone = f"{CHOOSE}?manager={manager.pk}"
    manager.delete()
    answer = client.post(gone, {"action": "freeze", "all": "1"})
    assert answer.status_code == 409
    assert "The filter has changed; look at the list again." in text_of(answer)
    assert BulkAction.objects.count() == 0


def test_reason_that_was_forgotten_is_not_compared(boss):
    now, customer = timezone.now(), free(joined(boss))
    action = choose_rows(member=boss, kind=BulkKind.FREEZE, keys=[customer.pk], now=now)
    terms = {"scope": "account"}
    again = partial(start_bulk_action, action=action, terms=terms, by=boss.user, now=now)
    again(reason="Unpaid")
    with pytest.raises(Refused) as refused:
        again(reason="Moved")
    assert refused.value.code == BulkRefusal.STARTED
    do_few(action=action, performers=PERFORMERS)
    assert causes(customer) == {FreezeCause.PARTNER}
    assert again(reason="Unpaid").reason == ""


def test_nothing_ticked_is_said_on_the_list_with_its_filters(boss, client):
    customer = joined(boss, customer_name="Acme")
    joined(boss, customer_name="Other")
    answer = client.post(f"{CHOOSE}?q=Acme", {"action": "freeze"})
    content = answer.content.decode()
    assert answer.status_code == 409
    assert "Nothing was chosen. Tick rows of the list, then choose again." in content
    assert re.findall(rf'href="({LIST}\d+/)"', content) == [f"{LIST}{customer.pk}/"]
    assert f'action="{CHOOSE}?q=Acme"' in content
    assert client.get(f"{CHOOSE}?q=Acme")["Location"] == f"{LIST}?q=Acme"

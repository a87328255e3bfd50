"""The console's actions on a customer: budget, unfreeze, freeze, manager; once and recorded."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.models import Freeze
from accounts.services.freezes import freeze_account, unfreeze_account
from association.models import Budget
from association.services.invariants.trail import trail_equals_state
from audit.models import AuditEvent
from outbox.models import OutboxMessage
from tests.factories import (
    FreezeFactory,
    InvitationFactory,
    PartnerMemberFactory,
    ResourceFactory,
    SpendingFactory,
    make_associated,
)
from tests.shown_forms import open_and_send, version_of

pytestmark = pytest.mark.django_db

HOUR, ADMINISTRATOR = timedelta(hours=1), FreezeCause.ADMINISTRATOR

TERMS = {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"}
KEY = "k" * 22


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True)


@pytest.fixture
def customer(boss):
    return joined(boss)


@pytest.fixture
def client(boss):
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(boss.user)
    return client


def joined(member, **invitation):
    invitation = InvitationFactory.create(
        partner=member.partner, created_by=member.user, **invitation
    )
    return make_associated(invitation=invitation, now=timezone.now() - timedelta(hours=1))


def url(name, association):
    return reverse(f"console_{name}", args=[association.pk])


def post(client, name, association, **data):
    return open_and_send(client, url(name, association), data)


def key_of(page):
    [key] = re.findall(r'name="form_key" value="([^"]+)"', page.content.decode())
    return key


def trail(action=""):
    rows = AuditEvent.objects.filter(action__startswith=action, actor__partner_member__isnull=False)
    return list(rows.order_by("pk").values_list("action", flat=True))


def open_causes(association):
    return set(association.account.freezes.open().values_list("cause", flat=True))


def emails(kind):
    return OutboxMessage.objects.filter(kind=kind).count()


# --- one audit row per action


def budget(client, customer):
    return post(client, "set_budget", customer, **TERMS, form_key=KEY)


def budget_and_unfreeze(client, customer):
    return post(client, "set_budget", customer, **TERMS, form_key=KEY, unfreeze="on", reason="Paid")


def freeze(client, customer):
    return post(client, "freeze", customer, scope="account", reason="Late", form_key=KEY)


def widen(client, customer):
    sent = {"scope": "account_and_resources", "reason": "Later", "form_key": "w" * 22}
    return post(client, "freeze", customer, **sent)


def unfreeze(client, customer):
    return post(client, "unfreeze", customer, reason="Paid", form_key=KEY)


def manage(client, customer):
    return post(client, "assign_manager", customer, manager="", form_key=KEY)


@pytest.mark.parametrize(
    ("first", "action", "written"),
    [
        ((), budget, ["budget.set"]),
        ((), budget_and_unfreeze, ["budget.set", "freeze.closed"]),
        ((), freeze, ["freeze.opened"]),
        ((freeze,), widen, ["freeze.replaced", "freeze.widened"]),
        ((budget,), unfreeze, ["freeze.closed"]),
        ((budget, freeze), unfreeze, ["freeze.closed", "freeze.closed"]),
        ((), manage, ["association.manager_changed"]),
    ],
)
def test_every_action_is_answered_303_and_written_once_however_often_it_is_sent(
    client, customer, boss, first, action, written
):
    for earlier in first:
        earlier(client, customer)
    before = AuditEvent.objects.count()
    answers = [action(client, customer) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    events = AuditEvent.objects.order_by("pk")[before:]
    assert [event.action for event in events] == written
    assert {event.actor for event in events} == {boss.user}
    assert list(trail_equals_state()) == []


def test_budget_is_set_exactly_and_written_down(client, customer, boss):
    budget(client, customer)

    made = Budget.objects.get()
    assert (made.amount, made.period, made.on_exhaustion, made.set_by) == (
        *(Decimal("250.00"), "monthly", "freeze"),
        boss.user,
    )
    event = AuditEvent.objects.get(action="budget.set")
    assert (event.object_id, event.before, event.after) == (
        str(made.pk),
        None,
        {"amount": "250.00", "period": "monthly", "on_exhaustion": "freeze"},
    )
    # F03's other half: a budget alone does not unfreeze.
    assert open_causes(customer) == {"association"}


def test_double_click_sets_one_budget_and_a_later_one_replaces_it(client, customer):
    sent = {**TERMS, "form_key": key_of(client.get(url("set_budget", customer))), "unfreeze": "on"}
    for _ in range(3):
        answer = post(client, "set_budget", customer, **sent)
        assert answer.status_code == 303
    assert trail("budget") == ["budget.set"]
    assert emails("association.unfrozen") == 1

    page = client.get(url("set_budget", customer))
    assert page.context["form"]["amount"].value() == "250.00"
    post(client, "set_budget", customer, **TERMS, form_key=key_of(page))

    assert Budget.objects.count() == 2
    assert Budget.objects.current().count() == 1


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("", "Enter the amount."),
        ("1e309", "like 1500.00"),
        ("1e2", "like 1500.00"),
        ("NaN", "like 1500.00"),
        ("Infinity", "like 1500.00"),
        ("1,500", "Write 1500 for a whole number, or 1.50 if the last digits are cents."),
        ("1 00", "like 1500.00"),
        ("1_000", "like 1500.00"),
        ("$100", "like 1500.00"),
        ("100 €", "like 1500.00"),
        ("+1", "like 1500.00"),
        ("\0", "like 1500.00"),
        ("\u0661\u0662", "like 1500.00"),
        ("\uff11\uff12", "like 1500.00"),
        ("9" * 100_000, "at most twelve digits"),
        ("9" * 20, "at most twelve digits"),
        ("-1", "cannot be less than 0"),
        ("0.001", "at most two digits after the point"),
    ],
)
def test_invalid_amount_is_refused_in_words_and_shown_again(client, customer, amount, sentence):
    answer = post(client, "set_budget", customer, **TERMS | {"amount": amount}, unfreeze="on")

    assert answer.status_code == 400
    [error] = answer.context["form"].errors["amount"]
    assert sentence in error
    assert answer.context["form"]["amount"].value() == amount
    assert answer.context["form"]["unfreeze"].value() is True
    assert Budget.objects.count() == 0
    assert open_causes(customer) == {"association"}


def test_form_key_that_cannot_be_one_is_400_and_sets_nothing(client, customer):
    assert post(client, "set_budget", customer, **TERMS, form_key="x").status_code == 400
    assert Budget.objects.count() == 0


@pytest.mark.parametrize(
    "wrong", [{"period": "weekly"}, {"on_exhaustion": ""}, {"reason": "x" * 257}]
)
def test_budget_with_something_unknown_is_refused(client, customer, wrong):
    assert post(client, "set_budget", customer, **TERMS | wrong).status_code == 400
    assert Budget.objects.count() == 0


@pytest.mark.parametrize(
    ("amount", "period", "is_doubted"),
    [
        *(("0", "monthly", True), ("0", "one_time", True), ("40", "monthly", True)),
        *(("40.01", "monthly", False), ("10", "one_time", False)),
        *(("9999999.99", "one_time", False), ("10000000", "one_time", True)),
    ],
)
def test_budget_that_may_be_a_mistake_is_taken_only_when_confirmed(
    client, customer, amount, period, is_doubted
):
    SpendingFactory.create(account=customer.account, amount=Decimal("40.00"))
    terms = TERMS | {"amount": amount, "period": period}

    answer = post(client, "set_budget", customer, **terms)

    assert answer.status_code == (400 if is_doubted else 303)
    if is_doubted:
        assert list(answer.context["form"].errors) == ["confirmed"]
        assert Budget.objects.count() == 0
        assert post(client, "set_budget", customer, **terms, confirmed="on").status_code == 303
    assert Budget.objects.get().amount == Decimal(amount)


def test_unfreeze_now_is_ticked_for_whom_the_association_freezes(client, customer):
    form = client.get(url("set_budget", customer)).context["form"]
    assert form["unfreeze"].value() is True
    budget_and_unfreeze(client, customer)
    assert "unfreeze" not in client.get(url("set_budget", customer)).context["form"].fields
    freeze(client, customer)
    assert client.get(url("set_budget", customer)).context["form"]["unfreeze"].value() is False


def test_customer_is_unfrozen_and_gets_an_e_mail(client, customer, boss):
    budget_and_unfreeze(client, customer)

    lifted = Freeze.objects.get()
    assert (lifted.unfrozen_by, lifted.unfreeze_reason) == (boss.user, "Paid")
    assert emails("association.unfrozen") == 1


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", 409)])
def test_unfreezing_without_a_budget_says_what_to_do(client, customer, method, status):
    answer = getattr(client, method)(url("unfreeze", customer), {"reason": "Please"})

    assert answer.status_code == status
    assert url("set_budget", customer) in answer.content.decode()
    assert open_causes(customer) == {"association"}


def test_freeze_of_the_provider_stays_and_is_said_to_stay(client, customer):
    freeze_account(
        account=customer.account, cause=FreezeCause.ADMINISTRATOR,
        reason="Abuse", by=None, now=timezone.now(),
    )  # fmt: skip
    budget(client, customer)
    for name in ("customer", "set_budget", "unfreeze"):
        assert "can lift" in client.get(url(name, customer)).content.decode()
    page = client.get(url("set_budget", customer))
    assert "Example Cloud has frozen this account. That freeze stays:" in page.content.decode()
    assert page.context["form"].fields["on_exhaustion"].choices == [
        ("freeze", "Freeze the account"),
        ("notify", "Only tell your organisation"),
    ]

    assert unfreeze(client, customer).status_code == 303
    assert open_causes(customer) == {"administrator"}
    assert emails("association.unfrozen") == 0
    page = client.get(url("customer", customer)).content.decode()
    assert "The account stays frozen: Example Cloud has frozen it." in page
    assert unfreeze(client, customer).status_code == 303
    page = client.get(url("unfreeze", customer)).content.decode()
    assert "There is no freeze here that you can lift." in page


def test_partner_reads_the_providers_reasons_of_its_own_time_alone(client, customer):
    before, now = customer.associated_at - HOUR, customer.associated_at + HOUR
    provider = {"account": customer.account, "by": None, "now": now}
    earlier = FreezeFactory.create(
        account=customer.account, cause=ADMINISTRATOR, reason="Umbrella", frozen_at=before
    )
    assert reasons(client, customer) == ["", ""]
    earlier.delete()
    freeze_account(cause=ADMINISTRATOR, reason="Abuse", **provider)
    assert reasons(client, customer) == ["Abuse", ""]
    unfreeze_account(causes=[ADMINISTRATOR], reason="Cleared", **provider)

    page = client.get(url("customer", customer))

    shown = [entry.reason for entry in page.context["timeline"] if entry.reason]
    assert shown == ["Cleared", "Abuse"]


def reasons(client, customer):
    """Return the reasons of the open freezes that the customer's page shows, as those listed."""
    context = client.get(url("customer", customer)).context
    shown = [line["reason"] for line in context["freeze_lines"]]
    frozen = [entry for entry in context["timeline"] if entry.what.startswith("Frozen by ")]
    assert sorted(entry.reason for entry in frozen) == sorted(shown)
    return shown


def test_freezing_again_says_that_nothing_has_changed(client, customer):
    freeze(client, customer)
    client.get(url("customer", customer))

    post(client, "freeze", customer, scope="account", reason="Late")

    assert "Nothing has changed." in client.get(url("customer", customer)).content.decode()
    assert emails("association.frozen") == 1


def test_freeze_asks_for_scope_and_reason_and_e_mails_the_customer(client, customer, boss):
    for wrong in ({"scope": "account"}, {"scope": "all", "reason": "x"}, {"reason": "x" * 257}):
        assert post(client, "freeze", customer, **wrong).status_code == 400
    assert open_causes(customer) == {"association"}

    freeze(client, customer)
    freeze(client, customer)

    made = Freeze.objects.get(cause=FreezeCause.PARTNER)
    assert (made.reason, made.frozen_by, made.scope) == ("Late", boss.user, FreezeScope.ACCOUNT)
    assert emails("association.frozen") == 1
    widen(client, customer)
    freeze(client, customer)
    made.refresh_from_db()
    wider = Freeze.objects.open().get(cause=FreezeCause.PARTNER)
    assert (wider.reason, wider.scope) == ("Later", FreezeScope.ACCOUNT_AND_RESOURCES)
    assert (made.reason, made.unfrozen_at, made.unfrozen_by) == ("Late", wider.frozen_at, boss.user)
    assert emails("association.frozen") == 2
    assert "More cannot be frozen." in client.get(url("freeze", customer)).content.decode()


def test_freezing_says_nothing_of_resources_where_none_is_running(client, customer):
    page = client.get(url("freeze", customer)).content.decode()
    assert "A frozen account can still log in" in page
    assert "resources of this customer" not in page


@pytest.mark.parametrize("name", ["set_budget", "freeze", "unfreeze"])
def test_referral_customers_are_neither_budgeted_nor_frozen(client, boss, name):
    referral = joined(boss, referral=True)
    page = client.get(url("customer", referral)).content.decode()
    assert url(name, referral) not in page

    data = TERMS | {"scope": "account", "reason": "x"}
    shown = client.get(url(name, referral))
    assert (shown.status_code, shown.templates[0].name) == (200, "partners/refused.html")
    assert post(client, name, referral, **data).status_code == 409
    assert (Budget.objects.count(), Freeze.objects.count()) == (0, 0)


def test_banner_leads_to_freezing_what_runs_on(client, customer):
    ResourceFactory.create_batch(2, account=customer.account)
    way = f"{url('freeze', customer)}?scope=account_and_resources"
    page = client.get(url("customer", customer)).content.decode()
    assert "2 resources of this customer go on running" in page
    assert way in page
    assert "2 resources of this customer are running." in client.get(way).content.decode()
    assert client.get(way).context["form"]["scope"].value() == "account_and_resources"

    widen(client, customer)

    assert "go on running" not in client.get(url("customer", customer)).content.decode()


def test_manager_is_one_of_the_partners_members(client, customer, boss):
    colleague = PartnerMemberFactory.create(partner=boss.partner)
    stranger = PartnerMemberFactory.create()

    assert post(client, "assign_manager", customer, manager=stranger.pk).status_code == 400
    for _ in range(2):
        assert post(client, "assign_manager", customer, manager=colleague.pk).status_code == 303

    customer.refresh_from_db()
    assert customer.manager == colleague
    event = AuditEvent.objects.get(action="association.manager_changed")
    assert (event.before, event.after) == ({"manager": boss.pk}, {"manager": colleague.pk})


@pytest.mark.parametrize(
    ("is_frozen_by_provider", "sentence", "emailed"),
    [
        (False, "The account is not frozen any more.", 1),
        (True, "The account stays frozen: Example Cloud has frozen it.", 0),
    ],
)
def test_message_says_whether_the_account_is_free_now(
    client, customer, is_frozen_by_provider, sentence, emailed
):
    if is_frozen_by_provider:
        cause = FreezeCause.ADMINISTRATOR
        freeze_account(account=customer.account, cause=cause, by=None, now=timezone.now())
    answer = budget_and_unfreeze(client, customer)

    [message] = client.get(answer["Location"]).context["messages"]
    last = "No other customer waits for a budget."
    assert str(message) == f"{customer.shown_name}: The budget is set. {sentence} {last}"
    assert emails("association.unfrozen") == emailed


@pytest.mark.parametrize("scope", ["account", "account_and_resources"])
def test_another_reason_for_the_same_freeze_is_a_conflict_and_kept(client, customer, scope):
    address, sent = url("freeze", customer), {"scope": scope, "reason": "Kept <typed>"}
    opened = version_of(client.get(address))
    post(client, "freeze", customer, scope="account_and_resources", reason="Late")

    stale = client.post(address, {**opened, **sent})
    answer = client.post(address, {**version_of(stale), **sent})

    assert "(“Late”)" in stale.content.decode()
    assert (stale.status_code, stale.context["form"]["reason"].value()) == (409, "Kept <typed>")
    assert answer.status_code == 409
    assert answer.context["form"]["reason"].value() == "Kept <typed>"
    page = answer.content.decode()
    assert "Kept &lt;typed&gt;" in page
    assert "Nothing has changed, and the customer is not told of this reason." in page
    assert Freeze.objects.get(cause=FreezeCause.PARTNER).reason == "Late"
    assert (trail("freeze"), emails("association.frozen")) == (["freeze.opened"], 1)

"""The demo partner's console: filled once, by the services, whenever it is loaded."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from accounts.models import CustomerAccount, User
from association.enums import LastStep, Outcome
from association.models import Association, Attempt, BudgetAlert, BudgetPeriod, OnExhaustion
from association.services.customers import set_budget
from association.services.history import last_step, outcome
from association.services.invariants.checking import find_violations
from association.services.overview import (
    customers_frozen_by_joining,
    customers_out_of_budget,
    end_requests_open,
    requests_open,
)
from association.services.spending import spent_of
from demo.examples import MANAGER, PASSWORDS
from outbox.models import OutboxMessage
from partners.models import InvitationBatch, PartnerMember
from tests.demo_json import load
from tests.worlds import module_world

pytestmark = pytest.mark.django_db


@module_world
def demo():
    return load()


def member_of(login):
    return PartnerMember.objects.select_related("partner", "user").get(user__email=login)


@pytest.fixture
def administrator(demo):
    return member_of(demo["partner"]["login"])


def companies(associations):
    """Return whose associations these are, by the domain of the account's address."""
    emails = [row.account.owner.email for row in associations]
    return [email.partition("@")[2].partition(".")[0] for email in emails]


def customer_of(company):
    return Association.objects.get(account__owner__email__contains=f"@{company}.")


def everything():
    """Return how many rows every table of ours has."""
    models = [
        model
        for app in ("accounts", "partners", "association")
        for model in apps.get_app_config(app).get_models()
    ]
    return {model._meta.label: model._base_manager.count() for model in models}


# --- what there is


def test_three_customers_wait_for_a_budget(administrator):
    *waiting, earlier = customers_frozen_by_joining(administrator)
    assert companies(waiting) == ["lichtwerk", "hafenkontor", "segelmacherei"]
    assert [row.budget_requests.count() for row in waiting] == [1, 0, 0]
    assert [row.account.resources.count() for row in waiting] == [0, 2, 0]
    # The customer of the used-up invitation waits as well.
    assert earlier.account.owner.email == "earlier-customer@demo.example"


def test_customer_spends_about_eighty_percent_of_a_monthly_budget(administrator):
    customer = customer_of("windmuehle")
    [budget] = customer.budgets.current()
    assert (budget.amount, budget.period) == (Decimal("500.00"), "monthly")
    assert spent_of(budget, timezone.now()) == Decimal("402.30")
    assert list(budget.alerts.values_list("threshold", flat=True)) == [75]
    assert not customer.account.freezes.open().exists()


def test_customer_is_frozen_by_a_used_up_budget(administrator):
    assert companies(customers_out_of_budget(administrator)) == ["leuchtturm"]
    alerts = BudgetAlert.objects.filter(budget__association=customer_of("leuchtturm"))
    assert sorted(alerts.values_list("threshold", flat=True)) == [75, 90, 100]


def test_customer_is_frozen_by_the_partner_with_a_reason(administrator):
    [freeze] = customer_of("moorland").account.freezes.open()
    assert freeze.cause == "partner"
    assert freeze.reason.startswith("Your last invoice is still open.")


def test_one_association_has_ended_and_one_customer_asks_to_end(administrator):
    ended = customer_of("seilerei")
    [request] = ended.end_requests.all()
    assert (ended.end_reason, request.answer) == (request.reason, "agreed")
    assert companies([row.association for row in end_requests_open(administrator)]) == ["bootsbau"]


def test_referral_customers_have_a_granted_and_an_open_authorization(administrator):
    states = {
        row.association.association_type + " " + companies([row.association])[0]: row.state
        for customer in administrator.partner.associations.all()
        for row in customer.authorizations.all()
    }
    assert states == {"referral strandkorb": "granted", "referral ziegelhof": "requested"}


def test_visitors_are_refused_for_five_causes(administrator):
    refused = Attempt.objects.filter(refused_at__isnull=False).order_by("started_at")
    assert [attempt.refusal_codes for attempt in refused] == [
        ["registered_too_long"],
        ["special_contract"],
        ["cash_expenditure"],
        ["unpaid_bills"],
        ["existing_account_not_allowed"],
    ]
    told = [attempt.told_partner_at is not None for attempt in refused]
    assert told == [False, False, False, True, False]


def test_three_visitors_are_under_way(administrator):
    attempts = Attempt.objects.select_related("association", "invitation").order_by("started_at")
    under_way = [attempt for attempt in attempts if outcome(attempt) == Outcome.UNDER_WAY]
    assert [last_step(attempt) for attempt in under_way] == [
        LastStep.PUT_OFF,
        LastStep.INSTRUCTIONS,
        LastStep.REGISTER,
    ]


def test_a_request_an_email_and_a_member_invitation_are_open(administrator):
    partner, now = administrator.partner, timezone.now()
    assert [row.address for row in requests_open(administrator)] == ["alina@bernstein.demo.example"]
    emails = partner.invitations.live(now).filter(recipient__contains="@sturmlaterne.")
    assert [row.mailed_at is not None for row in emails] == [True]
    invited = partner.member_invitations.live(now)
    assert list(invited.values_list("role", flat=True)) == ["manager"]


def test_batch_of_links_is_finished(administrator):
    batch = InvitationBatch.objects.get()
    assert (batch.state, batch.size, batch.done_count) == ("finished", 12, 12)
    labels = batch.invitations.order_by("pk").values_list("label", flat=True)
    assert list(labels) == [f"Counter card {number}" for number in range(1, 13)]


def test_manager_sees_the_own_invitation_and_customer(administrator):
    manager = member_of("manager@demo.example")
    assert (manager.role, manager.partner) == ("manager", administrator.partner)
    seen = manager.partner.associations.visible_to(manager)
    assert companies(seen) == ["segelmacherei"]
    assert manager.partner.invitations.visible_to(manager).count() == 1


def test_accounts_with_a_part_are_no_customers(administrator, demo):
    logins = {part["login"] for part in demo["accounts"].values()}
    ours = administrator.partner.associations.in_force().values_list(
        "account__owner__email", flat=True
    )
    assert logins & set(ours) == set()
    assert sorted(ours) == [
        "admin@ziegelhof.demo.example",
        "buero@bootsbau.demo.example",
        "cto@strandkorb.demo.example",
        "earlier-customer@demo.example",  # has used up the used-up invitation
        "it@hafenkontor.demo.example",
        "lena@lichtwerk.demo.example",
        "office@moorland.demo.example",
        "ops@windmuehle.demo.example",
        "paula@segelmacherei.demo.example",
        "team@leuchtturm.demo.example",
    ]


def test_every_moment_has_come(administrator):
    now = timezone.now()
    for model, name in [
        (Attempt, "started_at"),
        (Association, "associated_at"),
        (CustomerAccount, "registered_at"),
        (User, "created_at"),
        (OutboxMessage, "created_at"),
    ]:
        assert not model._base_manager.filter(**{f"{name}__gt": now}).exists()
    days = {row.associated_at.date() for row in administrator.partner.associations.all()}
    assert len(days) >= 5


# --- once, and always in order


def test_second_load_changes_nothing(demo):
    before = everything()
    assert load() == demo
    assert everything() == before


def test_what_is_done_in_the_console_is_not_undone(administrator):
    lichtwerk = customer_of("lichtwerk")
    set_budget(
        association=lichtwerk,
        amount=Decimal("300.00"),
        period=BudgetPeriod.MONTHLY,
        on_exhaustion=OnExhaustion.FREEZE,
        unfreeze=True,
        by=administrator.user,
        now=timezone.now(),
    )
    before = everything()
    load()
    assert everything() == before
    assert not lichtwerk.account.freezes.open().exists()


def test_contract_is_unchanged(demo):
    assert list(demo) == ["invitations", "accounts", "partner", "manager", "admin", "customers"]
    assert demo["partner"]["login"] == "partner@demo.example"
    assert demo["manager"] == {"login": "manager@demo.example", "password": PASSWORDS[MANAGER]}


def test_customers_of_the_history_have_names(administrator):
    customers = Association.objects.filter(partner=administrator.partner)
    names = list(customers.values_list("shown_name", flat=True))
    assert [name for name in names if name.startswith("c-")] == []
    assert "Lichtwerk Studio" in names
    assert customers.get(reference="N-2044").shown_name == "Hafenkontor GmbH"


def test_printed_customers_are_what_they_are_called(administrator, demo):
    causes = {}
    for name, login in demo["customers"].items():
        association = Association.objects.get(account__owner__email=login["login"])
        assert association.partner == administrator.partner
        open_freezes = association.account.freezes.open()
        causes[name] = list(open_freezes.order_by("cause").values_list("cause", flat=True))
    assert causes == {
        "waiting": ["association"],
        "used_up": ["budget_exhausted"],
        "frozen_by_partner": ["partner"],
        "active": [],
    }


@pytest.mark.parametrize("name", ["waiting", "used_up", "frozen_by_partner", "active"])
def test_printed_customer_can_log_in(client, demo, name):
    login = demo["customers"][name]
    typed = {"login": login["login"], "password": login["password"]}
    assert client.post("/account/login/", typed).status_code in {302, 303}
    assert client.get("/account/partner/").status_code == 200


def test_e_mails_of_days_ago_are_not_sent(administrator):
    waiting = OutboxMessage.objects.waiting()
    assert not waiting.filter(created_at__lt=timezone.now() - timedelta(days=7)).exists()
    assert waiting.filter(deadline_at__lte=timezone.now()).count() == 0


def test_demo_breaks_no_invariant():
    load()
    assert list(find_violations()) == []


# --- what is printed


def test_customers_are_printed(demo):
    output = StringIO()
    call_command("demo", stdout=output, no_color=True)
    logins = [login["login"] for login in demo["customers"].values()]
    assert [login for login in logins if login not in output.getvalue()] == []


def test_manager_is_named_by_command_and_page(client):
    output = StringIO()
    call_command("demo", stdout=output, no_color=True)
    page = client.get("/demo/").content.decode()
    for text in ("manager@demo.example", PASSWORDS[MANAGER]):
        assert [text in output.getvalue(), text in page] == [True, True]


def test_manager_log_in_opens_the_console(client):
    typed = {"login": "manager@demo.example", "password": PASSWORDS[MANAGER]}
    assert client.post("/account/login/", typed).status_code in {302, 303}
    assert client.get("/partner/").status_code == 200

"""What an account may do now, what its partner may do for it, and what a coupon may pay."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.enums import FreezeCause, FreezeScope
from accounts.services.capabilities import AccountAction, capability_rows, decide_actions
from accounts.services.freezes import freeze_account
from association.models import Association
from association.services.authorizations import revoke_authorization
from association.services.permissions import CouponUse, permissions_of
from partners.models import Partner
from tests.association.test_spending import budget_of
from tests.factories import (
    CouponFactory,
    CustomerAccountFactory,
    FreezeFactory,
    InvitationFactory,
    SpendingFactory,
    end_by_provider,
    make_associated,
)

pytestmark = pytest.mark.django_db

NOW = timezone.now()
OPEN_TO_ALL = {"log_in", "pay", "contact", "manage_authorizations"}
ORDERS = {"buy", "renew", "change"}
OWN = OPEN_TO_ALL | ORDERS | {"run_resources"}


def ask(account, **options):
    return permissions_of(account=account, now=timezone.now(), **options)


def allowed(found):
    """What the account may do, and what its partner may do for it."""
    account = {str(row.action) for row in found.actions if not row.reasons}
    partner = {str(row.action) for row in found.actions if not row.reasons_for_partner}
    return account, partner


def reasons(found, action):
    [row] = [row for row in found.actions if row.action == action]
    return list(row.reasons), list(row.reasons_for_partner)


@pytest.fixture
def customer():
    """A reseller's customer with the letter of authorization, not frozen."""
    association = make_associated(letter=True)
    association.account.freezes.update(unfrozen_at=timezone.now())
    return association


def test_account_without_partner_may_do_everything_itself():
    account = CustomerAccountFactory(enabled=True)
    found = ask(account)
    assert allowed(found) == (OWN, set())
    assert reasons(found, "buy") == ([], ["no_partner"])
    assert (found.association, found.budget, found.coupon_reasons) == (None, None, None)


def test_account_without_services_may_not_order():
    found = ask(CustomerAccountFactory())
    assert allowed(found) == (OPEN_TO_ALL, set())
    assert reasons(found, "run_resources")[0] == ["services_not_enabled"]


def test_deactivated_owner_does_nothing_and_resources_go_on_running(customer):
    customer.account.owner.is_active = False
    assert allowed(ask(customer.account)) == ({"run_resources"}, {"run_resources"})
    assert reasons(ask(customer.account), "buy") == (["owner_deactivated"], ["owner_deactivated"])


def test_partner_with_the_letter_may_order_and_operate(customer):
    assert allowed(ask(customer.account)) == (OWN, ORDERS | {"run_resources"})
    assert reasons(ask(customer.account), "pay") == ([], ["customer_only"])


def test_freeze_by_joining_stops_orders_of_both():
    customer = make_associated(letter=True)
    found = ask(customer.account)
    assert allowed(found) == (OPEN_TO_ALL | {"run_resources"}, {"run_resources"})
    assert reasons(found, "buy") == (["frozen_association"], ["frozen_association"])


@pytest.mark.parametrize("cause", FreezeCause)
def test_every_cause_has_its_reason(customer, cause):
    FreezeFactory(account=customer.account, cause=cause, scope="account_and_resources")
    found = ask(customer.account)
    assert allowed(found) == (OPEN_TO_ALL, set())
    assert reasons(found, "run_resources") == ([f"frozen_{cause}"], [f"frozen_{cause}"])


def test_all_causes_are_named_and_each_stops_what_its_scope_says(customer):
    account = customer.account
    FreezeFactory(account=account, cause=FreezeCause.PARTNER)
    FreezeFactory(account=account, cause="administrator", scope="account_and_resources")
    found = ask(account)
    assert sorted(reasons(found, "buy")[0]) == ["frozen_administrator", "frozen_partner"]
    assert reasons(found, "run_resources")[0] == ["frozen_administrator"]


def test_without_the_letter_the_partner_may_do_nothing_for_it():
    customer = make_associated()
    customer.account.freezes.update(unfrozen_at=timezone.now())
    found = ask(customer.account)
    assert allowed(found) == (OWN, set())
    assert reasons(found, "buy") == ([], ["not_authorized"])


def test_revoking_the_authorization_ends_it(customer):
    [letter] = customer.authorizations.all()
    revoke_authorization(
        authorization=letter, reason="x", by=customer.account.owner, now=timezone.now()
    )
    assert reasons(ask(customer.account), "buy") == ([], ["not_authorized"])


def test_frozen_partner_may_do_nothing_for_it(customer):
    Partner.objects.update(status="frozen", frozen_at=timezone.now())
    found = ask(customer.account)
    assert allowed(found) == (OWN, set())
    assert reasons(found, "buy") == ([], ["partner_frozen"])


def test_after_the_end_there_is_no_partner(customer):
    end_by_provider(customer)
    found = ask(customer.account)
    assert reasons(found, "buy") == ([], ["no_partner"])
    assert found.association is None


def test_budget_is_named_with_what_is_used(customer):
    budget_of(customer)
    customer.account.freezes.update(unfrozen_at=timezone.now())
    SpendingFactory(account=customer.account, amount="99.99")
    found = ask(customer.account)
    assert (str(found.budget.amount), str(found.used)) == ("100.00", "99.99")
    assert reasons(found, "buy")[0] == []


def coupon_stops(customer, incurred_at, **coupon):
    row = CouponFactory(account=customer.account, **coupon)
    use = CouponUse(row.source, row.external_id, incurred_at)
    return list(ask(customer.account, coupon=use).coupon_reasons)


@pytest.mark.parametrize(
    ("after_joining", "coupon", "stops"),
    [
        (timedelta(microseconds=-1), {}, []),
        (timedelta(), {}, ["incurred_since_joining"]),
        (timedelta(days=1), {}, ["incurred_since_joining"]),
        (timedelta(days=-1), {"balance": "0.00"}, ["coupon_empty"]),
        (timedelta(days=-1), {"expires_at": NOW}, ["coupon_expired"]),
        (timedelta(days=-1), {"expires_at": None}, []),
        (timedelta(), {"balance": "0", "expires_at": NOW},
         ["coupon_empty", "coupon_expired", "incurred_since_joining"]),
    ],
)  # fmt: skip
def test_coupon_pays_what_was_incurred_strictly_before_joining(
    customer, after_joining, coupon, stops
):
    moment = customer.coupons_pay_before + after_joining
    assert coupon_stops(customer, moment, **coupon) == stops


def test_coupon_pays_again_what_is_incurred_from_the_end_on(customer):
    end_by_provider(customer)
    customer.refresh_from_db()
    ended_at = customer.ended_at
    assert coupon_stops(customer, ended_at) == []
    instant = timedelta(microseconds=1)
    assert coupon_stops(customer, ended_at - instant) == ["incurred_since_joining"]


def test_coupon_of_a_referral_customer_pays_everything():
    invitation = InvitationFactory(association_type="referral", partner__allows_referral=True)
    customer = make_associated(invitation=invitation)
    assert coupon_stops(customer, timezone.now()) == []


def test_coupon_of_another_account_is_unknown(customer):
    other = CouponFactory()
    use = CouponUse(other.source, other.external_id, timezone.now())
    assert ask(customer.account, coupon=use).coupon_reasons == ("coupon_unknown",)


def test_it_takes_few_statements(customer, django_assert_num_queries):
    budget_of(customer)
    coupon = CouponFactory(account=customer.account)
    use = CouponUse(coupon.source, coupon.external_id, timezone.now())
    for _ in range(2):
        FreezeFactory(account=customer.account, cause=FreezeCause.PARTNER, lifted=True)
        with django_assert_num_queries(5):
            ask(customer.account)
        with django_assert_num_queries(6):
            ask(customer.account, coupon=use)
    alone = CustomerAccountFactory(enabled=True)
    with django_assert_num_queries(2):
        ask(alone)


def test_pages_show_what_the_api_answers(customer, client):
    """Both come from `decide_actions()`: here its table, row by row, beside the page's."""
    freeze_account(
        account=customer.account,
        cause=FreezeCause.ADMINISTRATOR,
        scope=FreezeScope.ACCOUNT_AND_RESOURCES,
        by=None,
        now=timezone.now(),
    )
    client.force_login(customer.account.owner)
    shown = client.get("/account/partner/").context["capabilities"]
    found = ask(customer.account)
    answered = {
        AccountAction(row.action).label: not row.reasons
        for row in found.actions
        if row.action != AccountAction.RUN_RESOURCES
    }
    assert {row["action"]: row["allowed"] for row in shown} == answered
    rows = decide_actions(account=customer.account, freezes=found.freezes, is_owner_active=True)
    assert shown == capability_rows(rows, has_resources=False)
    assert Association.objects.count() == 1

"""What refuses, on pages that a person can act on: every rule, and what lies between."""

from collections.abc import Callable

import pytest

from accounts.models import Bill, CustomerAccount
from association.models import Association, Attempt
from association.refusal_texts import REFUSAL_TEXTS
from association.services.eligibility import RULES
from partners.models import InvitationRequest
from tests import factories
from tests.browser.mails import newest_mail_to
from tests.factories import CustomerAccountFactory, InvitationFactory, make_associated

pytestmark = pytest.mark.browser


def another_partners() -> CustomerAccount:
    return make_associated().account


def with_fact(factory: Callable, **fact: object) -> Callable[[], CustomerAccount]:
    """Return what makes an account to which this fact belongs."""

    def make() -> CustomerAccount:
        account = CustomerAccountFactory.create(enabled=True)
        factory(account=account, **fact)
        return account

    return make


def in_enterprise(role: str, **relation: bool) -> Callable[[], CustomerAccount]:
    """Return what makes the master or a member of an enterprise."""
    return lambda: getattr(factories.EnterpriseRelationFactory.create(**relation), role)


def of_partner() -> CustomerAccount:
    account = CustomerAccountFactory.create()
    factories.PartnerMemberFactory.create(user=account.owner)
    return account


REFUSED = {
    "chinese_mainland_site": lambda: CustomerAccountFactory.create(mainland=True),
    "other_partner": another_partners,
    "special_contract": with_fact(factories.ContractFactory.create),
    "registered_too_long": lambda: CustomerAccountFactory.create(old=True),
    "cash_expenditure": with_fact(factories.CashExpenditureFactory.create),
    "unpaid_bills": with_fact(factories.BillFactory.create),
    "unified_accounting_member": in_enterprise("member"),
    "professional_services_contract": with_fact(
        factories.ContractFactory.create, professional_services=True
    ),
    "reserved_instances": with_fact(factories.ReservedInstanceFactory.create),
    "enterprise_member": in_enterprise("member", independent=True),
    "master_with_independent_members": in_enterprise("master", independent=True),
    "is_partner": of_partner,
    "internal_account": lambda: CustomerAccountFactory.create(internal=True),
}


def invite(account, **traits):
    return InvitationFactory.create(email=True, recipient=account.owner.email, **traits)


def looks(code):
    """Return which pages look alike: all rules but the one that leaves nothing to press."""
    return code if code == "other_partner" else "refused"


def test_every_rule_is_here():
    assert list(REFUSED) == [rule.code for rule in RULES]


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_says_why_and_what_to_do(visitor, code):
    account = REFUSED[code]()
    invitation = invite(account)
    has_partner = code == "other_partner"

    visitor.come_as(account.owner, invitation, "check", variant=looks(code))
    (refused,) = visitor.page.locator(".rule-refused").all()
    assert str(REFUSAL_TEXTS[code].title) in refused.inner_text()
    assert visitor.page.locator(".rule-refused:first-child").count() == 1
    assert "What you can do:" in refused.inner_text()
    assert len(visitor.page.locator(".rule-passed").all()) >= 10
    assert visitor.button("Check again").count() == (0 if has_partner else 1)
    assert Attempt.objects.latest("started_at").refusal_codes == [code]

    invitation.refresh_from_db()
    assert invitation.used_count == 0
    assert Association.objects.filter(invitation=invitation).count() == 0


def test_who_may_not_join_registers_anew_from_the_same_invitation(visitor):
    account = REFUSED["chinese_mainland_site"]()
    invitation = invite(account, is_bound=False)

    visitor.come_as(account.owner, invitation, "check", variant="refused")
    visitor.press("Use another account", "account", variant="email")
    visitor.register("anew@example.org")
    visitor.enable(variant="reseller")

    assert Association.objects.get().account.owner.email == "anew@example.org"


def test_the_partner_is_told_once_and_without_amounts(visitor):
    account = REFUSED["unpaid_bills"]()
    invitation = invite(account)
    member = factories.PartnerMemberFactory.create(partner=invitation.partner, administrator=True)
    tell = f"Tell {invitation.partner.name}"

    visitor.come_as(account.owner, invitation, "check", variant="refused")
    assert visitor.reads("1 unpaid bill, 100.00")
    visitor.press(tell, "check", variant="told")

    assert visitor.button(tell).count() == 0
    mail = newest_mail_to(member.user.email)
    assert "unpaid bills" in mail.body
    assert "100.00" not in mail.body
    visitor.press("Check again", "check", variant="told")


def test_who_has_mended_it_checks_again_and_joins(visitor):
    account = REFUSED["unpaid_bills"]()

    visitor.come_as(account.owner, invite(account), "check", variant="refused")
    Bill.objects.update(paid_amount=100)
    visitor.press("Check again", "confirm", variant="reseller")
    visitor.press("Associate", "done", variant="reseller")

    assert Association.objects.get().account == account


def test_a_rule_that_begins_to_refuse_meanwhile_is_met_at_the_last_click(visitor):
    account = CustomerAccountFactory.create(enabled=True)

    visitor.come_as(account.owner, invite(account), "confirm", variant="reseller")
    factories.BillFactory.create(account=account)
    visitor.press("Associate", "check", status=409, variant="refused")

    assert not Association.objects.exists()


def test_the_wrong_recipient_goes_on_with_the_right_account(visitor):
    right = CustomerAccountFactory.create(enabled=True)
    wrong = CustomerAccountFactory.create(enabled=True)
    invitation = invite(right)

    visitor.come_as(wrong.owner, invitation, "check", variant="wrong_recipient")
    assert visitor.reads(f"The invitation was sent to {right.owner.masked_email}.")
    assert visitor.reads(f"You are logged in with {wrong.owner.email}.")
    assert not visitor.reads(right.owner.email)
    visitor.press("Use another account", "account", variant="email")
    visitor.press("Login for Association", "login")
    visitor.log_in(right.owner, "confirm", variant="reseller")
    visitor.press("Associate", "done", variant="reseller")

    assert Association.objects.get().account == right


def test_an_existing_account_on_a_link_asks_for_an_online_invitation(visitor):
    account = CustomerAccountFactory.create(enabled=True)
    invitation = InvitationFactory.create()
    member = factories.PartnerMemberFactory.create(partner=invitation.partner, administrator=True)
    ask = f"Ask {invitation.partner.name} for an online invitation"

    visitor.come_as(account.owner, invitation, "check", variant="existing_account_not_allowed")
    visitor.follow(ask, "ask", variant="known")
    assert visitor.page.locator("[name=email]").input_value() == account.owner.email
    visitor.press(f"Ask {invitation.partner.name}", "asked")

    assert InvitationRequest.objects.get().address == account.owner.email
    assert "online invitation" in newest_mail_to(member.user.email).subject


def test_someone_with_an_account_asks_without_logging_in(visitor):
    invitation = InvitationFactory.create(referral=True)

    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.press(f"Ask {invitation.partner.name} for an online invitation", "ask")
    visitor.press(f"Ask {invitation.partner.name}", "ask", status=400)
    visitor.type("email", "Someone@Example.org")
    visitor.press(f"Ask {invitation.partner.name}", "asked")

    assert InvitationRequest.objects.get().address == "someone@example.org"


def test_who_is_associated_sees_with_whom(visitor):
    association = make_associated()
    same = InvitationFactory.create(partner=association.partner)
    other = InvitationFactory.create()

    visitor.open("/account/login/", "login")
    visitor.log_in(association.account.owner, "my-partner", variant="reseller")
    visitor.open(f"/i/{same.token}", "my-partner", variant="reseller")
    visitor.open(
        f"/i/{other.token}",
        f"You already work with {association.partner.name}",
        variant="other-partner",
    )

    assert visitor.page.locator("main form").count() == 0
    assert Association.objects.count() == 1


DEAD = {
    "expired": ({"expired": True}, "This invitation has expired"),
    "used-up": ({"max_uses": 1}, "This invitation has been used up"),
    "revoked": ({"revoked": True}, "This invitation has been revoked"),
    "partner-frozen": (
        {"partner__frozen": True},
        "This invitation cannot be used at the moment",
    ),
    "type-not-allowed": (
        {"referral": True, "partner__reseller_only": True},
        "This invitation cannot be used at the moment",
    ),
}


@pytest.mark.parametrize("way", DEAD)
def test_a_dead_link_says_what_happened(visitor, way):
    traits, heading = DEAD[way]
    invitation = InvitationFactory.create(**traits)
    if way == "used-up":
        make_associated(invitation=invitation)

    visitor.open(f"/i/{invitation.token}", heading, status=410, variant=way)

    assert visitor.reads(invitation.partner.name)
    assert visitor.reads(f"sk {invitation.partner.name}")
    assert visitor.reads(invitation.partner.support_email)
    assert visitor.page.locator("main form, main .button").count() == 0


@pytest.mark.parametrize("address", ["/i/0000000000000000000000000u", "/i/none", "/i/%00%ff"])
def test_an_unknown_link_is_one_page(visitor, address):
    visitor.open(address, "unknown", status=404)

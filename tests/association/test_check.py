"""Check: every refusal on one page, nothing consumed, and the ways out."""

import html
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.enums import Accounting
from association.enums import FOR_GOOD, RefusalCode
from association.models import Association
from association.refusal_texts import customer_reason
from association.ways_out import shown_way, way_out
from outbox.models import OutboxMessage
from tests.factories import (
    BillFactory,
    CashExpenditureFactory,
    ContractFactory,
    CustomerAccountFactory,
    EnterpriseRelationFactory,
    InvitationFactory,
    PartnerMemberFactory,
    ReservedInstanceFactory,
    end_by_provider,
)
from tests.journeys.walk import Walk, invite, ready_attempt, walk_of
from tests.tables import tables

pytestmark = pytest.mark.django_db

FINAL = {"action": "associate", "country": "DE", "agreement": "on"}


def other_partner(account):
    walk_of(ready_attempt(account=account)).post("confirm")


def mainland(account):
    account.registration_site = "chinese_mainland"
    account.save()


def old(account):
    account.registered_at = timezone.now() - timedelta(days=7, seconds=1)
    account.save()


def internal(account):
    account.is_internal = True
    account.save()


def tomorrow():
    """While a new account can still join."""
    return timezone.now() + timedelta(days=1)


SPOIL = {
    "chinese_mainland_site": mainland,
    "other_partner": other_partner,
    "special_contract": lambda account: ContractFactory.create(
        account=account, effective_to=tomorrow()
    ),
    "registered_too_long": old,
    "cash_expenditure": lambda account: CashExpenditureFactory.create(account=account),
    "unpaid_bills": lambda account: BillFactory.create(account=account),
    "unified_accounting_member": lambda account: EnterpriseRelationFactory.create(member=account),
    "professional_services_contract": lambda account: ContractFactory.create(
        account=account, professional_services=True, effective_to=tomorrow()
    ),
    "reserved_instances": lambda account: ReservedInstanceFactory.create(
        account=account, expires_at=tomorrow()
    ),
    "enterprise_member": lambda account: EnterpriseRelationFactory.create(
        member=account, accounting=Accounting.INDEPENDENT
    ),
    "master_with_independent_members": lambda account: EnterpriseRelationFactory.create(
        master=account, accounting=Accounting.INDEPENDENT
    ),
    "is_partner": lambda account: PartnerMemberFactory.create(user=account.owner),
    "internal_account": internal,
}


def refused(*codes, **options):
    """A browser at the check of an account that these rules refuse."""
    account = CustomerAccountFactory.create(enabled=True)
    for code in sorted(codes, key="other_partner".__ne__):  # possible only before the others
        SPOIL[code](account)
    return walk_of(ready_attempt(account=account, **options))


def text_of(response):
    return html.unescape(response.content.decode())


def test_table_has_every_rule_about_the_account():
    beside = list(RefusalCode).index(RefusalCode.INVITATION_UNKNOWN)
    assert list(SPOIL) == [code.value for code in list(RefusalCode)[:beside]]


@pytest.mark.parametrize("code", SPOIL)
def test_each_refusal_is_a_page_that_names_the_rule(code):
    walk = refused(code)
    assert walk.get()["Location"] == walk.url("check")
    before = tables()
    response = walk.get("check")
    assert response.status_code == 200
    assert customer_reason(code) in text_of(response)
    way = shown_way(way_out(code, is_bound=True), walk.invitation.partner)
    assert way["text"] in text_of(response)
    assert tables() == before
    assert walk.attempt.refusal_codes == [code]


@pytest.mark.parametrize("code", SPOIL)
@pytest.mark.parametrize("step", ["confirm", "enable"])
def test_each_refusal_answers_a_final_post_with_409_and_changes_nothing(code, step):
    walk = refused(code)
    associations = Association.objects.count()
    before = tables(without=["association.Attempt", "sessions.Session"])
    response = walk.post(step, **FINAL)
    assert response.status_code == 409
    assert customer_reason(code) in text_of(response)
    assert tables(without=["association.Attempt", "sessions.Session"]) == before
    assert Association.objects.count() == associations
    assert walk.attempt.invitation.used_count == 0


def test_rule_that_begins_to_refuse_between_page_and_click_is_a_409():
    walk = walk_of(ready_attempt())
    assert walk.get("confirm").status_code == 200
    BillFactory.create(account=walk.attempt.account)
    assert walk.post("confirm").status_code == 409
    assert walk.attempt.refusal_codes == ["unpaid_bills"]
    assert Association.objects.count() == 0


@pytest.mark.parametrize("code", sorted(set(SPOIL) - {"other_partner"}))
def test_the_first_button_is_the_one_that_can_help(code):
    content = text_of(refused(code).get("check"))
    button = r'class="button button-(\w+)"\s+type="submit"\s*>(Check again|Tell)'
    buttons = re.findall(button, content)
    telling_first = [("primary", "Tell"), ("secondary", "Check again")]
    checking_first = [("primary", "Check again"), ("secondary", "Tell")]
    assert buttons == (telling_first if code in FOR_GOOD else checking_first)
    # Until when an account can join is said only of one that can.
    assert ("can be associated until" in content) == (code not in FOR_GOOD)


def test_all_refusals_are_shown_at_once():
    hidden = {"enterprise_member"}  # unified_accounting_member covers it
    walk = refused(*(code for code in SPOIL if code not in hidden))
    text = text_of(walk.get("check"))
    for code in set(SPOIL) - hidden:
        assert customer_reason(code) in text
    assert walk.attempt.refusal_codes == [code for code in SPOIL if code not in hidden]


def test_rules_that_are_met_are_folded_behind_the_refused_ones():
    text = text_of(refused("unpaid_bills").get("check"))
    fold, met = text.index("<details"), text.index("The account has paid nothing in cash")
    assert text.index("All bills are paid") < fold < met
    assert "other rules are met" in text[fold:]
    assert met < text.index("Check again")


def test_facts_behind_a_refusal_are_the_customers_own():
    walk = refused("unpaid_bills")
    BillFactory.create(account=walk.attempt.account, amount=Decimal("11.50"))
    BillFactory.create(account=CustomerAccountFactory.create(), amount=Decimal("777.77"))
    text = text_of(walk.get("check"))
    assert "2 unpaid bills, 111.50\N{NO-BREAK SPACE}USD in total." in text
    assert "777.77" not in text


def test_paying_and_checking_again_goes_on():
    walk = refused("unpaid_bills")
    assert walk.post("check")["Location"] == walk.url()
    assert walk.get()["Location"] == walk.url("check")
    bill = walk.attempt.account.bills.get()
    bill.paid_amount = bill.amount
    bill.save()
    assert walk.post("check")["Location"] == walk.url()
    assert walk.get()["Location"] == walk.url("confirm")
    assert walk.attempt.refusal_codes == []
    assert walk.post("confirm")["Location"] == walk.url("done")


def told():
    return list(
        OutboxMessage.objects.filter(kind="association.customer_refused").values_list(
            "recipient", "data"
        )
    )


def test_partner_gets_one_e_mail_and_only_when_asked_for():
    walk = refused("unpaid_bills")
    member = PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    walk.post("confirm")
    walk.post("check")
    assert told() == []
    assert f"Tell {walk.invitation.partner.name}" in text_of(walk.get("check"))
    for _ in range(3):
        response = walk.post("check/tell")
        assert (response.status_code, response["Location"]) == (303, walk.url("check"))
    assert told() == [(member.user.email, {"codes": ["unpaid_bills"]})]
    text = text_of(walk.get("check"))
    assert "check/tell" not in text
    assert "which rules refuse, without any amounts." in text


def test_partner_gets_one_e_mail_for_many_attempts():
    first = refused("unpaid_bills")
    PartnerMemberFactory.create(partner=first.invitation.partner, administrator=True)
    first.post("check/tell")
    again = walk_of(ready_attempt(account=first.attempt.account, invitation=first.invitation))
    again.post("check/tell")
    assert len(told()) == 1
    assert again.attempt.told_partner_at == first.attempt.told_partner_at


def test_partner_gets_the_refusals_of_now():
    walk = refused("unpaid_bills")
    PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    ContractFactory.create(account=walk.attempt.account)
    walk.post("check/tell")
    assert [data["codes"] for _, data in told()] == [["special_contract", "unpaid_bills"]]


def test_partner_gets_no_e_mail_when_nothing_refuses():
    walk = walk_of(ready_attempt())
    PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    walk.post("check/tell")
    assert told() == []
    assert walk.attempt.told_partner_at is None


@pytest.mark.parametrize("code", ["other_partner", "unpaid_bills"])
def test_the_title_is_the_heading(code):
    text = " ".join(re.sub("</?bdi>", "", text_of(refused(code).get("check"))).split())
    [heading] = re.findall(r"<h1> (.*?) </h1>", text)
    [title] = re.findall(r"<title>\s*(.*?)\s* – Example Cloud</title>", text)
    assert title == heading


def test_the_rule_names_the_other_partner_as_the_heading_does():
    walk = refused("other_partner")
    name = Association.objects.get().partner.name
    text = re.sub("</?bdi>", "", text_of(walk.get("check")))
    assert f"You already work with {name}" in text
    assert f"Your account is associated with {name}." in " ".join(text.split())
    assert "associated with another partner" not in text


@pytest.mark.parametrize("days", [2, 30])
def test_waiting_is_advised_only_for_what_ends_in_time(days):
    account = CustomerAccountFactory.create(enabled=True)
    ends_at = account.registered_at + timedelta(days=days)
    ContractFactory.create(account=account, effective_to=ends_at)
    ContractFactory.create(account=account, professional_services=True, effective_to=ends_at)
    ReservedInstanceFactory.create(account=account, expires_at=ends_at)
    text = text_of(walk_of(ready_attempt(account=account)).get("check"))
    assert "Your account can be associated until" in text
    for in_time, too_late in (
        ("Check again when the contract has ended.", "Talk to"),
        ("or check again when the contract has ended.", "The contract does not end while"),
        ("or wait until they have expired.", "They do not expire while"),
    ):
        assert (in_time in text, too_late in text) == (days == 2, days == 30)


def test_the_last_moment_is_not_named_when_it_has_passed():
    assert "Your account can be associated until" not in text_of(
        refused("registered_too_long").get("check")
    )


def test_existing_account_on_a_link():
    walk = walk_of(ready_attempt(invitation=InvitationFactory.create()))
    text = text_of(walk.get("check"))
    assert "This invitation is for new accounts only." in text
    assert "Use another account" in text
    assert walk.post("confirm").status_code == 409
    assert Association.objects.count() == 0


@pytest.mark.parametrize(("refuse", "helps"), [(None, True), (mainland, False), (old, False)])
def test_online_invitation_is_offered_only_where_it_would_help(refuse, helps):
    walk = walk_of(ready_attempt(invitation=InvitationFactory.create(partner__name="Nimbus")))
    if refuse:
        refuse(walk.attempt.account)
    text = text_of(walk.get("check"))
    assert ("Ask Nimbus for an online invitation" in text) is helps
    assert ("An online invitation would not help" in text) is not helps
    assert ("Register a new account" in text) is not helps


def test_account_that_has_ended_an_association_is_not_new_any_more():

    first = walk_of(ready_attempt(invitation=InvitationFactory.create(), registered=True))
    first.post("confirm")
    end_by_provider(Association.objects.get())
    account = first.attempt.account
    again = walk_of(ready_attempt(account=account, invitation=InvitationFactory.create()))
    assert again.attempt.refusal_codes == ["existing_account_not_allowed"]
    online = walk_of(ready_attempt(account=account))
    assert online.post("confirm")["Location"] == online.url("done")


def test_wrong_recipient_sees_the_own_address_and_the_other_one_masked():
    invitation = InvitationFactory.create(email=True, recipient="somebody.else@example.com")
    walk = walk_of(ready_attempt(invitation=invitation))
    before = tables(without=["association.Attempt"])
    response = walk.get("check")
    text = text_of(response)
    owner = walk.attempt.account.owner
    assert response.status_code == 200
    assert invitation.masked_recipient in text
    assert f"You are logged in with {owner.email}." in text
    assert invitation.recipient not in text
    assert text.count("Use another account") == 1
    assert walk.post("confirm").status_code == 409
    assert tables(without=["association.Attempt"]) == before
    invitation.refresh_from_db()
    assert invitation.used_count == 0


def test_unbound_online_invitation_may_be_followed_by_anyone():
    invitation = InvitationFactory.create(
        email=True, recipient="somebody.else@example.com", is_bound=False
    )
    walk = walk_of(ready_attempt(invitation=invitation))
    assert walk.post("confirm")["Location"] == walk.url("done")


def test_customer_of_another_partner_sees_its_name_and_no_button():
    account = CustomerAccountFactory.create(enabled=True)
    first = walk_of(ready_attempt(account=account))
    second = walk_of(ready_attempt(account=account, invitation=invite(account)))
    first.post("confirm")
    text = text_of(second.get("check"))
    assert f"You already work with <bdi>{first.invitation.partner.name}</bdi>" in text
    assert 'value="associate"' not in text
    assert second.post("confirm").status_code == 409
    assert Association.objects.count() == 1
    second.invitation.refresh_from_db()
    assert second.invitation.used_count == 0


def test_partner_sees_neither_amounts_nor_another_partners_name():
    walk = refused("other_partner", "unpaid_bills")
    PartnerMemberFactory.create(partner=walk.invitation.partner, administrator=True)
    walk.post("check/tell")
    assert [data for _, data in told()] == [{"codes": ["other_partner", "unpaid_bills"]}]


def test_new_account_registered_elsewhere_in_time_may_use_the_link():
    walk = Walk(InvitationFactory.create())
    walk.begin()
    walk.register()
    second = Walk(InvitationFactory.create(), walk.client)
    second.begin()
    second.post("account", choice="continue")
    assert second.get()["Location"] == second.url("enable")

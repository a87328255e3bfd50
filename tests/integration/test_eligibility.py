"""Whether an account may join, asked by API."""

import pytest
from django.utils import timezone

from partners.services.invitations import revoke_invitation
from tests.factories import (
    BillFactory,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerFactory,
    make_associated,
    make_attempt,
)
from tests.integration.calls import Caller
from tests.tables import tables

pytestmark = pytest.mark.django_db


def new_follower(invitation=None):
    account = CustomerAccountFactory(enabled=True, registered_at=timezone.now())
    return make_attempt(invitation=invitation, account=account)


def check(attempt, caller=None):
    caller = caller or Caller(attempt.invitation.partner)
    path = f"/invitations/{attempt.invitation.pk}/eligibility"
    return caller.get(path, account=attempt.account.owner.account_name)


def test_new_account_may_join():
    attempt = new_follower()
    caller = Caller(attempt.invitation.partner)
    before = tables()
    shown = check(attempt, caller).json()

    assert tables() == before
    assert shown["account"] == attempt.account.owner.account_name
    assert (shown["is_eligible"], shown["is_customer"], shown["refusals"]) == (True, False, [])


def test_all_rules_that_refuse_are_named():
    attempt = new_follower()
    BillFactory(account=attempt.account, amount=10, paid_amount=5)
    shown = check(attempt).json()

    assert (shown["is_eligible"], shown["refusals"]) == (False, ["unpaid_bills"])
    assert "10" not in str(shown["refusals"])


def test_invitation_that_cannot_be_followed_refuses_too():
    attempt = new_follower()
    revoke_invitation(invitation=attempt.invitation, by=None, now=timezone.now())
    shown = check(attempt).json()

    assert (shown["is_eligible"], shown["refusals"]) == (False, ["invitation_revoked"])


def test_customer_is_known_as_such():
    customer = make_associated(invitation=InvitationFactory(max_uses=None))
    shown = check(customer.attempt).json()

    assert (shown["is_eligible"], shown["is_customer"]) == (False, True)


def test_only_followers_of_an_own_invitation_are_checked():
    attempt, other = new_follower(), CustomerAccountFactory()
    caller = Caller(attempt.invitation.partner)
    path = f"/invitations/{attempt.invitation.pk}/eligibility"

    assert caller.get(path, account=other.owner.account_name).status_code == 404
    assert check(attempt, Caller(PartnerFactory())).status_code == 404


def test_account_with_a_nul_is_a_field_problem():
    attempt = new_follower()
    caller = Caller(attempt.invitation.partner)
    answer = caller.get(f"/invitations/{attempt.invitation.pk}/eligibility", account="a\x00b")

    assert (answer.status_code, answer.json()["fields"][0]["field"]) == (422, "account")

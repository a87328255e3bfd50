"""Joining, in both association types and by both channels, from the invitation to the result."""

import pytest

from accounts.models import User
from association.models import Association, Authorization, Consent, DocumentKind
from tests.browser.mails import newest_mail_to
from tests.factories import (
    CouponFactory,
    CustomerAccountFactory,
    InvitationFactory,
    ResourceFactory,
)

pytestmark = pytest.mark.browser
ADDRESS = "new.customer@example.org"


def agreed_kinds() -> set[str]:
    return set(Consent.objects.values_list("document__kind", flat=True))


def test_a_new_account_joins_by_a_reseller_link(visitor):
    invitation = InvitationFactory.create(note="Welcome aboard.\nSee you soon.", max_uses=5)

    visitor.arrive(invitation)
    visitor.agree(invitation, letter=True)
    visitor.register(ADDRESS)
    assert visitor.page.locator("[name=country]").input_value() == "DE"
    assert visitor.page.locator("[name=letter_of_authorization]").is_checked()
    visitor.enable(variant="reseller")

    association = Association.objects.get()
    assert visitor.step == "done"
    assert association.account.owner.email == ADDRESS
    assert association.account.freezes.open().count() == 1
    assert visitor.reads("Your account is frozen")
    assert agreed_kinds() == set(DocumentKind.values)
    assert Authorization.objects.get().state == "granted"
    assert "frozen" in newest_mail_to(ADDRESS).subject
    visitor.follow("Go to My partner", "my-partner", variant="reseller")


def test_an_existing_account_joins_by_a_reseller_e_mail(visitor):
    account = CustomerAccountFactory.create(enabled=True)
    CouponFactory.create_batch(2, account=account)
    ResourceFactory.create_batch(3, account=account)
    invitation = InvitationFactory.create(email=True, recipient=account.owner.email)

    visitor.come_as(account.owner, invitation, "confirm", variant="reseller")
    assert visitor.reads("Your 2 coupons, worth 100.00 USD,")
    assert visitor.reads("Your 3 running resources")
    visitor.press("Associate", "done", variant="reseller-with-resources")

    assert Association.objects.get().account == account
    assert account.freezes.open().count() == 1
    assert agreed_kinds() == {DocumentKind.INSTRUCTIONS}
    assert not Authorization.objects.exists()


def test_a_new_account_joins_by_a_referral_link(visitor):
    invitation = InvitationFactory.create(referral=True)

    visitor.arrive(invitation)
    visitor.agree(invitation)
    visitor.register(ADDRESS, variant="referral")
    assert visitor.page.locator("[name=letter_of_authorization]").count() == 0
    visitor.enable(variant="referral")

    association = Association.objects.get()
    assert association.account.owner == User.objects.get(email=ADDRESS)
    assert association.account.freezes.count() == 0
    assert not visitor.reads("frozen")
    visitor.follow("Go to My partner", "my-partner", variant="referral")


def test_an_existing_account_joins_by_a_referral_e_mail(visitor):
    account = CustomerAccountFactory.create(enabled=True)
    invitation = InvitationFactory.create(email=True, referral=True, recipient=account.owner.email)

    visitor.come_as(account.owner, invitation, "confirm", variant="referral")
    visitor.press("Associate", "done", variant="referral-existing")

    assert Association.objects.get().account == account
    assert account.freezes.count() == 0


def test_an_existing_account_without_services_enables_them(visitor):
    account = CustomerAccountFactory.create(country="FR")
    invitation = InvitationFactory.create(email=True, recipient=account.owner.email)

    visitor.come_as(account.owner, invitation, "enable")
    assert visitor.page.locator("[name=country]").input_value() == "FR"
    visitor.press("Enable and Associate", "enable", status=400)
    visitor.enable(variant="reseller")

    account.refresh_from_db()
    assert account.is_enabled
    assert Association.objects.get().account == account


def test_someone_signed_in_says_which_account_joins(visitor):
    account = CustomerAccountFactory.create(enabled=True)
    invitation = InvitationFactory.create(email=True, recipient=account.owner.email)

    visitor.open("/account/login/", "login")
    visitor.log_in(account.owner, "You have no partner yet", by="account_name")
    visitor.arrive(invitation)
    visitor.follow("Continue", "instructions")
    visitor.tick("instructions")
    visitor.press("Agree and continue", "account", variant="signed-in")
    assert not Association.objects.exists()
    visitor.press(f"Continue as {account.owner.email}", "confirm", variant="reseller")
    visitor.press("Associate", "done", variant="reseller")

    assert Association.objects.get().account == account

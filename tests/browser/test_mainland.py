"""An account of the mainland site: from the refusal to a way out, followed to its end."""

import pytest

from association.models import Association
from tests.browser.mails import code_mailed_to, link_mailed_to
from tests.factories import (
    PASSWORD,
    CustomerAccountFactory,
    InvitationFactory,
    PartnerMemberFactory,
)

pytestmark = pytest.mark.browser
ANEW = "anew@example.org"


@pytest.fixture
def account():
    return CustomerAccountFactory.create(mainland=True)


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")


def registers_anew(visitor):
    """Go from Register to Done, with an address that has no account yet."""
    visitor.page.locator("select[name=country]").select_option("SG")
    visitor.type("email", ANEW)
    visitor.press("Send code", "code")
    visitor.type("code", code_mailed_to(ANEW))
    visitor.type("password", PASSWORD)
    visitor.press("Register", "enable")
    visitor.enable(variant="reseller")
    assert Association.objects.get().account.owner.email == ANEW


def test_a_link_leads_to_a_new_account(visitor, account, boss):
    invitation = InvitationFactory.create(partner=boss.partner)

    visitor.come_as(account.owner, invitation, "check", variant="mainland-link")
    assert visitor.reads("Your account was registered on the Chinese mainland site.")
    assert visitor.reads("An online invitation would not help")
    assert not visitor.reads("Ask Nimbus for an online invitation")
    # Beside what lies in between, and beside the rule.
    assert visitor.button("Register a new account").count() == 2
    with visitor.page.expect_navigation():
        visitor.button("Register a new account").first.click()
    visitor.look("register")
    registers_anew(visitor)


def test_a_bound_invitation_is_sent_to_another_address(new_visitor, account, boss):
    invitation = InvitationFactory.create(
        email=True, partner=boss.partner, recipient=account.owner.email, created_by=boss.user
    )
    phone = new_visitor(viewport={"width": 390, "height": 844})
    phone.come_as(account.owner, invitation, "check", variant="mainland-bound")
    assert phone.reads("so Nimbus has to send it to another one.")
    assert phone.button("Register a new account").count() == 0
    phone.press("Tell Nimbus", "check", variant="told")

    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open(link_mailed_to(boss.user.email, "/partner/"), "login")
    colleague.log_in(boss.user, "customer", variant="mainland-attempt")
    colleague.follow("Send it to another address", "Invite by e-mail", variant="copied")
    colleague.type("recipient", ANEW)
    colleague.press("Send invitation", ".*", variant="mailed")

    phone.page.context.clear_cookies()
    phone.open(link_mailed_to(ANEW, "/i/"), "landing", variant="reseller-email")
    phone.agree(invitation)
    phone.press("Register for Association", "register")
    registers_anew(phone)

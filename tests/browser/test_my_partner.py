"""A customer on a phone: asks for a budget, and answers what the partner asks for."""

import pytest
from django.utils import timezone

from association.models import Authorization, BudgetRequest
from association.services.authorizations import request_authorization
from tests.browser.mails import links_mailed_to
from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated

pytestmark = pytest.mark.browser


@pytest.fixture
def association():
    association = make_associated(invitation=InvitationFactory.create(partner__name="Nimbus"))
    PartnerMemberFactory.create(partner=association.partner, administrator=True)
    return association


@pytest.fixture
def phone(new_visitor, association):
    """The customer, who has logged in on the way to My partner."""
    phone = new_visitor(viewport={"width": 390, "height": 844})
    phone.open("/account/partner/", "login")
    phone.log_in(association.account.owner, "my-partner", variant="frozen")
    return phone


def test_frozen_customer_asks_for_a_budget(phone):
    assert phone.reads("because you joined Nimbus")
    phone.press("Ask Nimbus to set a budget", "my-partner", variant="asked")
    assert phone.reads("Nimbus has been asked to set a budget.")
    assert phone.reads("You can ask again from")
    assert phone.button("Ask Nimbus to set a budget").count() == 0
    assert BudgetRequest.objects.count() == 1


def test_customer_follows_the_mail_to_the_letter_agrees_and_revokes(phone, association):
    member = association.partner.members.get().user
    asked = request_authorization(association=association, by=member, now=timezone.now())
    phone.open("/account/partner/", "my-partner", variant="requested")
    phone.follow("Nimbus asks for your authorization", "letter", variant="requested")
    (link,) = [
        link for link in links_mailed_to(association.account.owner.email) if "authorization" in link
    ]
    assert link == phone.page.url
    phone.press("Agree to the letter", "my-partner", variant="granted")
    assert phone.reads("Nimbus may now order and operate for you.")
    phone.follow("Read the letter, or revoke it", "letter", variant="granted")
    phone.press("Revoke", "letter", status=400)
    phone.page.locator("textarea[name=reason]").fill("We do it ourselves")
    phone.press("Revoke", "my-partner", variant="revoked")
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("revoked", "We do it ourselves")


def test_customer_declines_without_a_reason(phone, association):
    member = association.partner.members.get().user
    request_authorization(association=association, by=member, now=timezone.now())
    phone.open("/account/partner/authorization/", "letter", variant="requested")
    phone.press("Decline", "my-partner", variant="declined")
    assert phone.reads("You have declined. Nimbus has been told.")
    assert Authorization.objects.get().state == "declined"

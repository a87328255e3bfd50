"""The end of an association, from the question to the next partner, and by the provider."""

import pytest

from audit.models import AuditEvent
from tests.browser.administrator import Administrator
from tests.browser.mails import all_links_mailed_to, link_mailed_to, newest_mail_to
from tests.factories import (
    InvitationFactory,
    PartnerMemberFactory,
    make_associated,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")


@pytest.fixture
def association(boss):
    invitation = InvitationFactory.create(email=True, partner=boss.partner)
    return make_associated(invitation=invitation)


@pytest.fixture
def owner(association):
    return association.account.owner


@pytest.fixture
def customer(new_visitor, owner):
    """The customer, on a phone, signed in."""
    customer = new_visitor(viewport={"width": 390, "height": 844})
    customer.open("/account/login/", "login")
    customer.log_in(owner, "my-partner", variant="frozen")
    return customer


@pytest.fixture
def colleague(new_visitor, boss):
    colleague = new_visitor(viewport={"width": 1280, "height": 900})
    colleague.open("/account/login/", "login")
    colleague.log_in(boss.user, "Overview", variant="console")
    return colleague


@pytest.fixture
def administrator(new_visitor):
    return Administrator(new_visitor(viewport={"width": 1280, "height": 900}))


def ask_to_end(customer, reason):
    customer.open("/account/partner/", "my-partner", variant="frozen")
    customer.follow("Read what ending means", "end", variant="ask")
    customer.type("reason", reason)
    customer.press("Ask Nimbus to end it", "my-partner", variant="end-asked")
    assert customer.reads("Nimbus has been asked to end the association.")


def answer(colleague, boss, reason, button):
    """Follow the e-mail's link, and answer."""
    colleague.open(link_mailed_to(boss.user.email, "/end"), "end", variant="console-answer")
    colleague.type("reason", reason)
    colleague.press(button, "customer", variant=button.split()[0])


def test_customer_asks_twice_and_joins_another_partner(
    customer, colleague, administrator, association, owner, boss
):
    ask_to_end(customer, "Too dear")
    assert "Too dear" in newest_mail_to(boss.user.email).body
    answer(colleague, boss, "Your contract runs until May", "Decline")

    told = newest_mail_to(owner.email)
    assert told.subject == "Your association with Nimbus does not end"
    assert "Your contract runs until May" in told.body
    customer.open(link_mailed_to(owner.email, "/partner/"), "my-partner", variant="frozen")
    assert customer.reads("Nimbus has declined your request of")
    assert customer.reads("Reason: Your contract runs until May")
    ask_to_end(customer, "It is May now")
    answer(colleague, boss, "Good luck", "Agree and end the association")
    assert colleague.reads("The customer asked to end the association, and you agreed.")

    everything_says_that_it_ended(customer, colleague, administrator, association)
    old_links_lead_to_the_truth(customer, colleague, owner, boss)
    joins_another_partner(customer, owner)


def everything_says_that_it_ended(customer, colleague, administrator, association):
    for address, variant in (
        (f"/join/{association.attempt_id}/done", "ended"),
        (f"/i/{association.invitation.token}", "ended"),
        ("/account/partner/", "no-partner"),
    ):
        customer.open(address, variant)
        assert customer.reads("you were a customer of Nimbus")
        assert customer.reads("You asked to end the association, and Nimbus agreed.")
        assert customer.reads("Reason: It is May now")
        assert customer.reads("Example Cloud bills you")
        assert not customer.reads("You are a customer of")
        assert not customer.reads("Your account is frozen")

    colleague.open("/partner/customers/?status=ended", "Customers", variant="ended")
    assert colleague.reads("Ended")
    assert colleague.reads("It is May now")

    administrator.open("association/association/?state=ended")
    assert administrator.reads(association.account.owner.account_name)
    administrator.open(f"association/association/{association.pk}/change/")
    assert administrator.reads("It is May now")
    administrator.open("association/endrequest/?state=answered")
    assert administrator.reads("Too dear", "declined", "It is May now", "agreed")
    ended = AuditEvent.objects.get(action="association.ended")
    administrator.open(f"audit/auditevent/{ended.pk}/change/")
    assert administrator.reads("It is May now")


def old_links_lead_to_the_truth(customer, colleague, owner, boss):
    """Open every link that either side was ever sent."""
    assert newest_mail_to(owner.email).subject == "You are no longer a customer of Nimbus"
    assert "bills you" in newest_mail_to(owner.email).body
    for link in all_links_mailed_to(owner.email):
        customer.page.goto(link)
        assert customer.heading in {"You have no partner now", "You were a customer of Nimbus"}
    assert newest_mail_to(boss.user.email).subject == "The association with a customer has ended"
    for link in all_links_mailed_to(boss.user.email):
        colleague.open(link, "customer", variant="Agree")
        assert colleague.reads("The association has ended")


def joins_another_partner(customer, owner):
    other = InvitationFactory.create(email=True, partner__name="Cirrus", recipient=owner.email)
    customer.arrive(other)
    customer.follow("Continue", "instructions")
    customer.tick("instructions")
    customer.press("Agree and continue", "account", variant="signed-in")
    customer.press(f"Continue as {owner.email}", "confirm", variant="reseller")
    customer.press("Associate", "done", variant="reseller")
    customer.follow("Go to My partner", "my-partner", variant="frozen")
    assert customer.reads("because you joined Cirrus")
    customer.page.get_by_text("Earlier partners").click()
    assert customer.reads("Nimbus: from")

"""The provider freezes an account, lifts it, ends an association: both sides hear who it was."""

import re

import pytest

from accounts.enums import FreezeCause
from tests.browser.administrator import Administrator
from tests.browser.mails import link_mailed_to, newest_mail_to
from tests.factories import InvitationFactory, PartnerMemberFactory, make_associated

pytestmark = pytest.mark.browser
ACCOUNTS = "accounts/customeraccount/"
ASSOCIATIONS = "association/association/"
FREEZE, LIFT = "Freeze by decision of the provider", "Lift the provider's freeze"
MOMENT = r"\d+ \w+ \d{4}, \d\d:\d\d UTC"
FROZEN = re.compile(f"Frozen by Example Cloud on {MOMENT}: “Unclear payment”")


@pytest.fixture
def boss():
    return PartnerMemberFactory.create(administrator=True, partner__name="Nimbus")


@pytest.fixture
def association(boss):
    return make_associated(invitation=InvitationFactory.create(partner=boss.partner))


@pytest.fixture
def customer(new_visitor, association, settings):
    """The customer, on a phone, signed in at a provider with a support address."""
    settings.PROVIDER_SUPPORT_EMAIL = "support@example.com"
    customer = new_visitor(viewport={"width": 390, "height": 844})
    customer.open("/account/login/", "login")
    customer.log_in(association.account.owner, "my-partner", variant="frozen")
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


def both_were_told(association, boss, subject, subject_for_partner, sentence, reason):
    """Assert what the newest e-mail says to each side: who, when, and why."""
    for reader, expected in (
        (association.account.owner, subject),
        (boss.user, subject_for_partner),
    ):
        told = newest_mail_to(reader.email)
        assert told.subject == expected
        assert re.match(sentence, told.body)
        assert f"> {reason}" in told.body


def test_provider_freezes_and_lifts(customer, colleague, administrator, association, boss):
    said = administrator.act(ACCOUNTS, FREEZE, "Unclear payment")
    assert "The partner cannot lift this freeze." in said
    assert "The owner of the account reads it, and so does the partner" in said
    both_were_told(
        association,
        boss,
        "Example Cloud has frozen your account",
        "Example Cloud has frozen a customer of yours",
        f"On {MOMENT} Example Cloud froze your",
        "Unclear payment",
    )

    for address, page in (
        (link_mailed_to(association.account.owner.email, "/account/"), "my-partner"),
        (f"/join/{association.attempt_id}/done", "done"),
    ):
        customer.open(address, page, variant="frozen-by-provider")
        assert FROZEN.search(said_by(customer))
        assert not customer.reads("You can use your account now")
        assert customer.button("Ask Nimbus to set a budget").count() == 0
        contact = customer.page.get_by_role("link", name="Contact the support of Example Cloud")
        assert contact.first.get_attribute("href") == "mailto:support@example.com"
    colleague.open(
        link_mailed_to(boss.user.email, "/customers/"), "customer", variant="frozen-by-provider"
    )
    assert colleague.reads("Only Example Cloud can lift that freeze")
    assert FROZEN.search(said_by(colleague))

    administrator.act(ACCOUNTS, LIFT, "All clear")
    both_were_told(
        association,
        boss,
        "Example Cloud has lifted a freeze – your account is still frozen",
        "Example Cloud has lifted a freeze of a customer of yours",
        f"On {MOMENT} Example Cloud lifted a freeze of your",
        "All clear",
    )
    customer.open("/account/partner/", "my-partner", variant="frozen")
    assert not customer.reads("Frozen by Example Cloud on")
    assert customer.button("Ask Nimbus to set a budget").count() == 1


def test_provider_ends_and_its_own_freeze_stays(
    customer, colleague, administrator, association, boss
):
    administrator.act(ACCOUNTS, FREEZE, "Unclear payment")
    said = administrator.act(ASSOCIATIONS, "End the association", "Nimbus has closed")
    assert "Its freezes end, except one that the provider decided on." in said
    assert "The customer and the partner read it." in said
    both_were_told(
        association,
        boss,
        "You are no longer a customer of Nimbus",
        "The association with a customer has ended",
        rf"From {MOMENT} to {MOMENT} .+\n\nExample Cloud ended the association\.",
        "Nimbus has closed",
    )
    assert "still frozen by Example Cloud" in newest_mail_to(association.account.owner.email).body
    assert [row.cause for row in association.account.freezes.open()] == [FreezeCause.ADMINISTRATOR]

    customer.open("/account/partner/", "no-partner", variant="frozen-by-provider")
    assert customer.reads("Example Cloud ended the association. Reason: Nimbus has closed")
    assert FROZEN.search(said_by(customer))
    assert not customer.reads("because you joined")
    colleague.open(link_mailed_to(boss.user.email, "/customers/"), "customer", variant="Agree")
    assert colleague.reads("Example Cloud ended the association. Reason: Nimbus has closed")
    administrator.open(f"{ASSOCIATIONS}{association.pk}/change/")
    assert administrator.reads("Nimbus has closed")


def said_by(visitor):
    return " ".join(visitor.page.locator("main").inner_text().split())

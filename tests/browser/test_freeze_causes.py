"""Each cause of a freeze: the reason shown, the one action, and what the partner sees of it."""

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.enums import FreezeScope
from association.services.customers import freeze_customer, set_budget
from association.services.provider_freezes import freeze_for_provider
from association.services.spending_records import record_spending
from tests.browser.mails import link_mailed_to, newest_mail_to
from tests.factories import InvitationFactory, PartnerMemberFactory, UserFactory, make_associated

pytestmark = pytest.mark.browser
ACTIONS = (
    "Ask Nimbus to set a budget",
    "Ask Nimbus to unfreeze your account",
    "Ask Nimbus to raise the budget",
    "Contact Nimbus",
    "Contact the support of Example Cloud",
)


@pytest.fixture
def boss(settings):
    settings.PROVIDER_SUPPORT_EMAIL = "support@example.com"
    return PartnerMemberFactory.create(
        administrator=True, partner__name="Nimbus", partner__support_email="help@nimbus.example"
    )


@pytest.fixture
def association(boss):
    return make_associated(invitation=InvitationFactory.create(partner=boss.partner))


@pytest.fixture
def customer(new_visitor, association):
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


def is_told(customer, association, *sentences, action, variant):
    """Assert that Done and My partner give the reasons in order, and offer this action alone."""
    for address, page in (
        (f"/join/{association.attempt_id}/done", "done"),
        ("/account/partner/", "my-partner"),
    ):
        customer.open(address, page, variant=variant if page == "my-partner" else "reseller")
        card = customer.page.locator(".notice", has_text="Your account is frozen")
        said = " ".join(card.inner_text().split())
        places = [said.find(sentence) for sentence in sentences]
        assert -1 not in places
        assert places == sorted(places)
        buttons = card.locator(".button").all_inner_texts()
        assert [label for label in ACTIONS if label in buttons] == buttons == [action]


def asks(customer, colleague, boss, label, wanted):
    """Press the button, and read what the partner gets by e-mail and sees of it."""
    customer.press(label, "my-partner", variant="asked")
    assert customer.reads(f"Nimbus has been asked to {wanted}.")
    assert customer.button(label).count() == 0
    link = link_mailed_to(boss.user.email, "/customers/")
    colleague.page.goto(link)
    theirs = wanted.replace("your account", "the account")
    assert colleague.reads(f"to {theirs}.")
    assert colleague.reads("The customer asked you on")


def terms(amount):
    return {"amount": Decimal(amount), "period": "one_time", "on_exhaustion": "freeze"}


def test_every_cause_names_its_reason_and_an_action_that_works(
    customer, colleague, association, boss
):
    by, account = boss.user, association.account
    is_told(
        customer,
        association,
        "because you joined Nimbus: it lasts until Nimbus has set a budget",
        action="Ask Nimbus to set a budget",
        variant="frozen",
    )
    asks(customer, colleague, boss, "Ask Nimbus to set a budget", "set a budget")

    set_budget(association=association, by=by, now=timezone.now(), **terms(100))
    is_told(
        customer,
        association,
        "The budget is set, and Nimbus has not unfrozen your account yet",
        action="Ask Nimbus to unfreeze your account",
        variant="budget-set",
    )
    asks(customer, colleague, boss, "Ask Nimbus to unfreeze your account", "unfreeze your account")

    set_budget(association=association, by=by, now=timezone.now(), unfreeze=True, **terms(100))
    spend(account, "100.00")
    is_told(
        customer,
        association,
        "because the budget is used up: 100.00 USD of 100.00 USD",
        action="Ask Nimbus to raise the budget",
        variant="used-up",
    )
    asks(customer, colleague, boss, "Ask Nimbus to raise the budget", "raise the budget")

    set_budget(association=association, by=by, now=timezone.now(), unfreeze=True, **terms(900))
    freeze_customer(
        association=association,
        scope=FreezeScope.ACCOUNT,
        reason="Invoice 7 is late",
        by=by,
        now=timezone.now(),
    )
    is_told(
        customer,
        association,
        "Frozen by Nimbus on",
        "“Invoice 7 is late”",
        action="Contact Nimbus",
        variant="by-partner",
    )
    assert links_to(customer, "Contact Nimbus") == "mailto:help@nimbus.example"
    assert "Invoice 7 is late" in newest_mail_to(account.owner.email).body
    colleague.page.reload()
    assert colleague.reads("Frozen by your organisation on")

    freeze_for_provider(
        account=account,
        scope=FreezeScope.ACCOUNT,
        reason="Unclear identity",
        by=UserFactory.create(staff=True),
        now=timezone.now(),
    )
    is_told(
        customer,
        association,
        "Frozen by Example Cloud on",
        "“Unclear identity”",
        "Frozen by Nimbus on",
        "“Invoice 7 is late”",
        action="Contact the support of Example Cloud",
        variant="frozen-by-provider",
    )
    contact = "Contact the support of Example Cloud"
    assert links_to(customer, contact) == "mailto:support@example.com"
    assert "What you can do: Contact the support" in newest_mail_to(account.owner.email).body


def spend(account, amount):
    line = {
        "source": "tests",
        "external_id": "1",
        "account": account.owner.account_name,
        "amount": amount,
        "occurred_at": timezone.now().isoformat(),
    }
    assert record_spending(lines=[line], now=timezone.now()).errors == []


def links_to(customer, label):
    card = customer.page.locator(".notice", has_text="Your account is frozen")
    return card.get_by_role("link", name=label, exact=True).get_attribute("href")
